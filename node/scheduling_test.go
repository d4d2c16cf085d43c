package node

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/sched"
)

// scheduler is a node as far as it decides, with a data folder of its own.
func scheduler(t *testing.T, dir string, change func(*Config)) *Node {
	t.Helper()
	cfg := Default()
	cfg.DataDir, cfg.Servers = dir, 2
	if change != nil {
		change(&cfg)
	}
	n := &Node{cfg: cfg, policies: sched.Policies()}
	n.dispatcher = n.newDispatcher()
	if err := n.restoreScheduling(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSchedulingOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	want := Scheduling{Policy: "power-of-n", Set: map[string]string{"f": "3"}, Servers: 5, Queue: 7, Order: "deadline"}
	if err := scheduler(t, dir, nil).SetScheduling(want); err != nil {
		t.Fatal(err)
	}
	n := scheduler(t, dir, nil)
	if got := n.Scheduling(); !got.equal(want) {
		t.Errorf("after a restart %+v, want %+v", got, want)
	}
	if n.dispatcher.policy.name() != "power-of-n" || n.dispatcher.slots.load().Servers != 5 {
		t.Errorf("in force: %s, %+v", n.dispatcher.policy.name(), n.dispatcher.slots.load())
	}
	n = scheduler(t, dir, func(c *Config) { c.Policy = "local" })
	if got := n.Scheduling(); got.Policy != "local" || got.Servers != 2 {
		t.Errorf("another configuration is not heard: %+v", got)
	}
}

func TestSchedulingBackToConfigured(t *testing.T) {
	dir := t.TempDir()
	n := scheduler(t, dir, nil)
	if err := n.SetScheduling(Scheduling{Policy: "local", Queue: 3}); err != nil {
		t.Fatal(err)
	}
	if err := n.SetScheduling(n.configuredScheduling()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(n.schedulingFile()); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if got := n.Scheduling(); got.Policy != "spread" || got.Queue != -1 {
		t.Errorf("in force: %+v", got)
	}
}

func TestUnreadableSchedulingIsNoReasonNotToStart(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":    "{",
		"no policy":  `{"configured":{"policy":"spread","servers":2,"queue":-1},"in_force":{"policy":"gone"}}`,
		"no setting": `{"configured":{"policy":"spread","servers":2,"queue":-1},"in_force":{"policy":"spread","set":{"x":"1"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(dir+"/scheduling.json", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := scheduler(t, dir, nil).Scheduling(); got.Policy != "spread" {
				t.Errorf("in force: %+v", got)
			}
		})
	}
}

func TestPolicyOverHTTP(t *testing.T) {
	n := scheduler(t, t.TempDir(), nil)
	mux := http.NewServeMux()
	n.policyRoutes(mux, func(h http.Handler) http.Handler { return h })
	cases := []struct {
		name, method, body string
		status             int
		says               []string
	}{
		{"as configured", "GET", "", 200, []string{`"policy":"spread"`, `"changed":false`, `"power-of-n"`, `"key":"hops"`}},
		{"another policy", "POST", `{"policy":"power-of-n","set":{"f":"3"}}`, 200, []string{`"policy":"power-of-n"`, `"changed":true`, `"servers":2`}},
		{"capacity alone", "POST", `{"servers":4,"queue":0}`, 200, []string{`"policy":"power-of-n"`, `"f":"3"`, `"servers":4`, `"queue":0`}},
		{"no such policy", "POST", `{"policy":"fastest"}`, 400, []string{"unknown policy", "spread"}},
		{"no such parameter", "POST", `{"set":{"speed":"1"}}`, 400, []string{"unknown parameter", "loss"}},
		{"a bad value", "POST", `{"set":{"f":"0"}}`, 400, []string{"a whole number from 1 to 64"}},
		{"bad capacity", "POST", `{"servers":-1}`, 400, []string{"servers -1"}},
		{"bad order", "POST", `{"order":"lifo"}`, 400, []string{"moore-hodgson"}},
		{"unknown key", "POST", `{"polcy":"local"}`, 400, []string{"polcy"}},
		{"nothing was changed by these", "GET", "", 200, []string{`"policy":"power-of-n"`, `"servers":4`}},
		{"back", "DELETE", "", 200, []string{`"policy":"spread"`, `"changed":false`, `"servers":2`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(c.method, "/system/policy", strings.NewReader(c.body)))
			if w.Code != c.status {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			for _, part := range c.says {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("%s does not say %s", w.Body, part)
				}
			}
		})
	}
}

func TestChangeThatCannotBeKeptIsInForce(t *testing.T) {
	dir := t.TempDir()
	n := scheduler(t, dir, nil)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	n.changePolicy(w, httptest.NewRequest("POST", "/system/policy", strings.NewReader(`{"policy":"local"}`)))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "until the next start only") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if got := n.Scheduling().Policy; got != "local" {
		t.Errorf("in force: %s", got)
	}
}

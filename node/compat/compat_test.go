package compat

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// fake is a node that takes what package sched knows.
type fake struct{ now Scheduling }

func (f *fake) Self() peer.ID          { return real("a") }
func (f *fake) Scheduling() Scheduling { return f.now }
func (f *fake) Load() (int, int, int)  { return 3, 2, 4 }
func (f *fake) IP(p peer.ID) string    { return "10.0.0." + string(p[len(p)-1:]) }
func (f *fake) Peer(ip string) (peer.ID, bool) {
	return real("m"), ip == "10.0.0.9"
}

func (f *fake) SetScheduling(s Scheduling) error {
	if _, err := sched.New(s.Policy, s.Set); err != nil && s.Policy != "external" {
		return err
	}
	if s.Servers < 0 {
		return errors.New("servers")
	}
	f.now = s
	return nil
}

func real(name string) peer.ID { return peer.ID("\x00\x01" + name) }

func serve(f *fake, method, path, body string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	New(f, "1.0", false).Routes(mux, func(h http.Handler) http.Handler { return h })
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestSchedulersBothWays(t *testing.T) {
	master := real("m").String()
	cases := []struct {
		text, policy string
		set          map[string]string
		back         string // "" for the same text
	}{
		{`{"name":"NoScheduler","parameters":["true"]}`, "local", map[string]string{"loss": "true"}, ""},
		{`{"name":"ForwardScheduler","parameters":["2"]}`, "forward", map[string]string{"hops": "2"}, ""},
		{`{"name":"RejectScheduler","parameters":[]}`, "reject", map[string]string{}, ""},
		{`{"name":"PowerOfNScheduler","parameters":["2","1","true","1"]}`, "power-of-n",
			map[string]string{"f": "2", "t": "1", "loss": "true", "hops": "1", "variant": "upstream"}, ""},
		{`{"name":"PowerOfNSchedulerTau","parameters":["1","2","true","1","200ms"]}`, "power-of-n-tau",
			map[string]string{"f": "1", "t": "2", "loss": "true", "hops": "1", "tau": "200ms", "variant": "upstream"}, ""},
		{`{"name":"RoundRobinWithMasterScheduler","parameters":["false","10.0.0.9","true"]}`, "round-robin-master",
			map[string]string{"master": master, "loss": "true"},
			`{"name":"round-robin-master","parameters":["loss=true","master=` + master + `"]}`},
		{`{"name":"LearningScheduler","parameters":["2"]}`, "external", map[string]string{"types": "2", "rewards": "clients"}, ""},
		{`{"name":"spread","parameters":[]}`, "spread", map[string]string{}, ""},
		{`{"name":"power-of-n","parameters":["f=3"]}`, "power-of-n", map[string]string{"f": "3"}, ""},
	}
	for _, c := range cases {
		f := &fake{now: Scheduling{Policy: "spread", Servers: 4, Queue: 4}}
		if w := serve(f, "POST", "/configuration/scheduler", c.text); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("%s: %d %s", c.text, w.Code, w.Body)
			continue
		}
		if f.now.Policy != c.policy || !cmp.Equal(f.now.Set, c.set) || f.now.Servers != 4 {
			t.Errorf("%s became %+v", c.text, f.now)
		}
		want := c.back
		if want == "" {
			want = c.text
		}
		if got := strings.TrimSpace(serve(f, "GET", "/configuration/scheduler", "").Body.String()); got != want {
			t.Errorf("%s is told as %s", c.text, got)
		}
	}
}

func TestSchedulerErrors(t *testing.T) {
	cases := []struct {
		text   string
		status int
		says   string
	}{
		{`{`, 400, `"code":4`},
		{`{"name":"PowerOfNScheduler","parameters":["2"]}`, 500, "takes 4 parameters and got 1"},
		{`{"name":"PowerOfNScheduler","parameters":["x","1","true","1"]}`, 500, "a whole number"},
		{`{"name":"FastestScheduler","parameters":[]}`, 500, "unknown policy"},
		{`{"name":"spread","parameters":["2"]}`, 500, "want key=value"},
		{`{"name":"RoundRobinWithMasterScheduler","parameters":["false","10.0.0.1","true"]}`, 500, "no member is known"},
	}
	for _, c := range cases {
		f := &fake{now: Scheduling{Policy: "spread"}}
		w := serve(f, "POST", "/configuration/scheduler", c.text)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s", c.text, w.Code, w.Body)
		}
		if f.now.Policy != "spread" {
			t.Errorf("%s changed the policy to %s", c.text, f.now.Policy)
		}
	}
}

func TestCapacity(t *testing.T) {
	f := &fake{now: Scheduling{Policy: "spread", Servers: 0, Queue: -1}}
	if got := strings.TrimSpace(serve(f, "GET", "/configuration", "").Body.String()); got !=
		`{"parallel_running_functions_max":4,"queue_length_max":1024,"queue_enabled":true}` {
		t.Errorf("configuration %s", got)
	}
	serve(f, "POST", "/configuration", `{"queue_length_max":7}`)
	if f.now.Queue != 7 || f.now.Servers != 0 {
		t.Errorf("a partial change made %+v", f.now)
	}
	serve(f, "POST", "/configuration", `{"queue_enabled":false,"parallel_running_functions_max":2}`)
	if f.now.Queue != 0 || f.now.Servers != 2 {
		t.Errorf("without a queue: %+v", f.now)
	}
	w := serve(f, "GET", "/monitoring/load", "")
	if h := w.Header(); h.Get("X-P2PFaaS-Load") != "3" || h.Get("X-P2PFaaS-MaxLoad") != "4" || h.Get("X-P2PFog-Queue-Length") != "2" {
		t.Errorf("load %v", h)
	}
}

func TestRequestHeaders(t *testing.T) {
	cases := []struct {
		name   string
		given  map[string]string
		spoken bool
		policy string
		kind   string
	}{
		{"ours", map[string]string{"X-P2pfaas-Policy": "spread"}, false, "spread", ""},
		{"bypass", map[string]string{"X-P2pfaas-Scheduler-Bypass": ""}, true, "local", ""},
		{"bypass goes before reject", map[string]string{"X-P2pfaas-Scheduler-Bypass": "1", "X-P2pfaas-Scheduler-Reject": "1"}, true, "local", ""},
		{"forward", map[string]string{"X-P2pfaas-Scheduler-Forward": "True"}, true, "forward", ""},
		{"reject", map[string]string{"X-P2pfaas-Scheduler-Reject": "True"}, true, "reject", ""},
		{"task type", map[string]string{"X-P2pfaas-Scheduler-Learning-Task-Type": "1.0"}, true, "", "1.0"},
		{"tracing", map[string]string{"X-P2pfaas-Scheduler-Task-Tracing-Id": "t1"}, true, "", ""},
	}
	for _, c := range cases {
		h := http.Header{}
		for name, value := range c.given {
			h.Set(name, value)
		}
		spoken := New(&fake{}, "1.0", false).Request(h)
		if spoken != c.spoken || h.Get("X-P2pfaas-Policy") != c.policy || h.Get("X-P2pfaas-Task-Type") != c.kind {
			t.Errorf("%s: %t, %v", c.name, spoken, h)
		}
	}
}

func TestAnswerHeaders(t *testing.T) {
	d := New(&fake{now: Scheduling{Policy: "local", Set: map[string]string{"loss": "true"}}}, "1.0", false)
	h := http.Header{}
	d.Answer(http.Header{"X-P2pfaas-Scheduler-Task-Tracing-Id": {"t1"}}, h, []invoke.Hop{
		{Peer: real("a"), Total: 50 * time.Millisecond, Decide: time.Millisecond},
		{Peer: real("b"), Total: 40 * time.Millisecond, Service: 30 * time.Millisecond},
	}, &sched.Step{ID: 7, State: []float64{0, 1, 2.5}, Action: 3, Epsilon: 0.25})
	want := http.Header{
		"X-P2pfaas-Version":                        {"1.0"},
		"X-P2pfaas-Scheduler":                      {"NoScheduler(true)"},
		"X-P2pfaas-Scheduler-Task-Tracing-Id":      {"t1"},
		"X-P2pfaas-Timing-Execution-Time-Seconds":  {"0.03"},
		"X-P2pfaas-Timing-Total-Seconds-List":      {"[0.05,0.04]"},
		"X-P2pfaas-Timing-Scheduling-Seconds-List": {"[0.001,0]"},
		"X-P2pfaas-Timing-Probing-Seconds-List":    {"[0,0]"},
		"X-P2pfaas-Externally-Executed":            {"True"},
		"X-P2pfaas-Hops":                           {"1"},
		"X-P2pfaas-Scheduler-Learning-State":       {"0,1,2.5"},
		"X-P2pfaas-Scheduler-Learning-Action":      {"3"},
		"X-P2pfaas-Scheduler-Learning-Eps":         {"0.25"},
		"X-P2pfaas-Scheduler-Learning-Eid":         {"7"},
		"X-P2pfaas-Peers-List-Ip":                  {`["10.0.0.a","10.0.0.b"]`},
		"X-P2pfaas-Peers-List-Id":                  {`["` + real("a").String() + `","` + real("b").String() + `"]`},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	cases := []struct {
		code       invoke.Code
		deliberate bool
		status     int
		says       string
	}{
		{invoke.CodeRefused, false, 500, `"code":400`},
		{invoke.CodeRefused, true, 503, `"code":401`},
		{invoke.CodeExpired, false, 500, `"code":400`},
		{invoke.CodeNoFunction, false, 404, `"code":3`},
		{invoke.CodeBadRequest, false, 400, `"code":4`},
		{invoke.CodeFailed, false, 500, `"code":5`},
		{invoke.CodeUnavailable, false, 500, `"code":403`},
		{invoke.CodeLoop, false, 500, `"code":1`},
	}
	for _, c := range cases {
		w := httptest.NewRecorder()
		New(&fake{}, "1.0", true).Error(http.Header{}, w, &invoke.Error{Code: c.code, Text: "why"}, new(sched.Step), c.deliberate)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || !strings.Contains(w.Body.String(), `"message"`) {
			t.Errorf("%v, deliberate %t: %d %s", c.code, c.deliberate, w.Code, w.Body)
		}
	}
}

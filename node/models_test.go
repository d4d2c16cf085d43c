package node

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// pupil learns a word.
type pupil struct{ word string }

func (p *pupil) Decide(*sched.View, *sched.Request) sched.Decision {
	return sched.Decision{Action: sched.Run, Reason: sched.ReasonAlways}
}
func (p *pupil) Snapshot() ([]byte, error) { return []byte("model:" + p.word), nil }
func (p *pupil) Restore(b []byte) error {
	word, ok := strings.CutPrefix(string(b), "model:")
	if !ok {
		return errors.New("no model of this kind")
	}
	p.word = word
	return nil
}

// school is a node whose policies learn.
func school(t *testing.T, dir string) (*Node, func() *pupil) {
	t.Helper()
	n := &Node{cfg: Default(), policies: sched.Policies()}
	n.cfg.DataDir, n.cfg.Policy = dir, "pupil"
	n.policies["pupil"] = func(*sched.Settings) sched.Policy { return &pupil{word: "nothing"} }
	n.policies["other"] = func(*sched.Settings) sched.Policy { return &pupil{word: "other"} }
	n.dispatcher = n.newDispatcher()
	if err := n.restoreScheduling(); err != nil {
		t.Fatal(err)
	}
	return n, func() *pupil { return n.dispatcher.policy.policy.(*pupil) }
}

func TestWhatWasLearnedOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	n, policy := school(t, dir)
	policy().word = "much"
	n.remember()
	if _, policy = school(t, dir); policy().word != "much" {
		t.Errorf("after a restart it knows %q", policy().word)
	}
}

func TestEachPolicyHasItsOwnModel(t *testing.T) {
	n, policy := school(t, t.TempDir())
	policy().word = "much"
	for _, step := range []struct{ name, knows string }{{"other", "other"}, {"pupil", "much"}} {
		if err := n.SetScheduling(Scheduling{Policy: step.name, Queue: -1}); err != nil {
			t.Fatal(err)
		}
		if policy().word != step.knows {
			t.Errorf("%s knows %q, want %q", step.name, policy().word, step.knows)
		}
	}
	same := policy()
	if err := n.SetScheduling(Scheduling{Policy: "pupil", Queue: 3, Servers: 7}); err != nil || policy() != same {
		t.Errorf("another capacity made another policy: %v", err)
	}
}

func TestUnusableModelsAreSetAside(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"damaged": func(file string) error { return os.WriteFile(file, []byte("?"), 0o600) },
		"old":     func(file string) error { at := time.Now().Add(-8 * 24 * time.Hour); return os.Chtimes(file, at, at) },
		"huge":    func(file string) error { return os.Truncate(file, maxModel+1) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			n, policy := school(t, dir)
			policy().word = "much"
			n.remember()
			if err := spoil(n.modelFile("pupil")); err != nil {
				t.Fatal(err)
			}
			n, policy = school(t, dir)
			if policy().word != "nothing" {
				t.Errorf("it knows %q", policy().word)
			}
			if _, err := os.Stat(n.modelFile("pupil") + ".bad"); err != nil {
				t.Error("it is not set aside:", err)
			}
		})
	}
}

func TestModelOverHTTP(t *testing.T) {
	n, policy := school(t, t.TempDir())
	mux := http.NewServeMux()
	n.policyRoutes(mux, func(h http.Handler) http.Handler { return h })
	ask := func(method, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, "/system/policy/model", strings.NewReader(body)))
		return w
	}
	policy().word = "much"
	if w := ask("GET", ""); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), []byte("model:much")) || w.Header().Get("X-P2pfaas-Policy") != "pupil" {
		t.Errorf("export: %d %s", w.Code, w.Body)
	}
	if w := ask("PUT", "model:more"); w.Code != 204 || policy().word != "more" {
		t.Errorf("import: %d %s, it knows %q", w.Code, w.Body, policy().word)
	}
	if w := ask("PUT", "rubbish"); w.Code != 400 || policy().word != "more" {
		t.Errorf("import of rubbish: %d %s, it knows %q", w.Code, w.Body, policy().word)
	}
	if err := n.SetScheduling(Scheduling{Policy: "local", Queue: -1}); err != nil {
		t.Fatal(err)
	}
	if w := ask("GET", ""); w.Code != 409 {
		t.Errorf("export of what does not learn: %d %s", w.Code, w.Body)
	}
}

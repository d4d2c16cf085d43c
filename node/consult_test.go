package node

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/sched"
)

// asking is a policy that does what it is told: 0 refuses, all else runs here, and
// so does silence.
type asking struct {
	step    sched.Step
	lessons []sched.Lesson
}

func (p *asking) Decide(v *sched.View, r *sched.Request) sched.Decision {
	switch {
	case r.Round == 0:
		return sched.Decision{Action: sched.Ask, Question: &sched.Question{State: []float64{r.TaskType}, Within: time.Minute}, Reason: sched.ReasonAsking}
	case !r.Advice.OK:
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonAlways}
	}
	p.step = sched.Step{ID: p.step.ID + 1, State: []float64{r.TaskType}, Action: r.Advice.Action, Epsilon: r.Advice.Epsilon}
	d := sched.Decision{Action: sched.Run, Reason: sched.ReasonAdvised, Token: p.step.ID}
	if r.Advice.Action == 0 {
		d.Action = sched.Refuse
	}
	return d
}

func (p *asking) Observe(o sched.Outcome) {
	l := sched.Lesson{Step: p.step}
	if o.OnTime {
		l.Reward = 1
	}
	p.lessons = append(p.lessons, l)
}

func (p *asking) Lesson() (l sched.Lesson, ok bool) {
	if len(p.lessons) == 0 {
		return l, false
	}
	l, p.lessons = p.lessons[0], p.lessons[1:]
	return l, true
}

func (p *asking) Step(token uint64) (sched.Step, bool) { return p.step, token != 0 }

// wise is a learner that says the number of the task type.
type wise struct {
	mu      sync.Mutex
	lessons []sched.Lesson
}

func (l *wise) Act(state []float64, _ []int) (int, float64) { return int(state[0]), 0.5 }
func (l *wise) Parameters() any                             { return nil }
func (l *wise) SetParameters([]byte) error                  { return nil }
func (l *wise) Stats() any                                  { return nil }
func (l *wise) Weights() any                                { return nil }
func (l *wise) Reset()                                      {}

func (l *wise) Train(lesson *sched.Lesson) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lessons = append(l.lessons, *lesson)
	return nil
}

func (l *wise) taught() []sched.Lesson {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sched.Lesson(nil), l.lessons...)
}

// consulting is a node by itself with the policy asking and the function echo.
func consulting(t *testing.T, change func(*Config), parts Parts) (*Node, error) {
	t.Helper()
	rt := new(faastest.Fake)
	if err := rt.Deploy(t.Context(), faas.Function{Name: faas.Name{Function: "echo", Namespace: faas.DefaultNamespace}, Image: "fake"}); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.DataDir, c.HTTP, c.Auth, c.MDNS, c.Listen = t.TempDir(), HTTPNone, AuthNone, false, []string{"/ip4/127.0.0.1/tcp/0"}
	c.Policy = "asking"
	if change != nil {
		change(&c)
	}
	parts.Runtime, parts.Policies = rt, sched.Registry{"asking": func(*sched.Settings) sched.Policy { return new(asking) }}
	n, err := NewWith(c, parts)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, n.Start(t.Context())
}

// asP2PFaaS calls echo as its clients do.
func asP2PFaaS(n *Node, taskType string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/function/echo", strings.NewReader("hello"))
	r.Header.Set("X-P2pfaas-Scheduler-Learning-Task-Type", taskType)
	w := httptest.NewRecorder()
	n.Handler().ServeHTTP(w, r)
	return w
}

// TestConsult: a policy is told what the learner says, the learner what came of
// it, and the caller which step it was.
func TestConsult(t *testing.T) {
	l := new(wise)
	n, err := consulting(t, nil, Parts{Learner: l})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		taskType, reason string
		status           int
		eid              string
	}{{"1", "", 200, "1"}, {"0", `"code":401`, 503, "2"}, {"2", "", 200, "3"}} {
		w := asP2PFaaS(n, c.taskType)
		h := w.Header()
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.reason) {
			t.Errorf("type %s: %d %s", c.taskType, w.Code, w.Body)
		}
		got := []string{h.Get("X-P2pfaas-Scheduler-Learning-Eid"), h.Get("X-P2pfaas-Scheduler-Learning-State"),
			h.Get("X-P2pfaas-Scheduler-Learning-Action"), h.Get("X-P2pfaas-Scheduler-Learning-Eps")}
		if diff := cmp.Diff([]string{c.eid, c.taskType, c.taskType, "0.5"}, got); diff != "" {
			t.Errorf("type %s: %s", c.taskType, diff)
		}
	}
	want := []sched.Lesson{
		{Step: sched.Step{ID: 1, State: []float64{1}, Action: 1, Epsilon: 0.5}, Reward: 1},
		{Step: sched.Step{ID: 2, State: []float64{0}, Epsilon: 0.5}},
		{Step: sched.Step{ID: 3, State: []float64{2}, Action: 2, Epsilon: 0.5}, Reward: 1},
	}
	eventually(t, "three lessons", func() bool { return len(l.taught()) == len(want) })
	if diff := cmp.Diff(want, l.taught()); diff != "" {
		t.Error(diff)
	}
}

// TestConsultNobody: the learner that is configured goes before the one that is
// served, and the policy is told when there is no answer.
func TestConsultNobody(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	l := new(wise)
	n, err := consulting(t, func(c *Config) { c.Learner = gone.URL }, Parts{Learner: l})
	if err != nil {
		t.Fatal(err)
	}
	w := asP2PFaaS(n, "0")
	if w.Code != 200 || w.Header().Get("X-P2pfaas-Scheduler-Learning-Eid") != "" || len(l.taught()) > 0 {
		t.Errorf("%d %v, taught %v", w.Code, w.Header(), l.taught())
	}
}

// TestNoLearner: a policy that asks is not put in force where there is nobody.
func TestNoLearner(t *testing.T) {
	if _, err := consulting(t, nil, Parts{}); !errors.Is(err, errNoLearner) {
		t.Errorf("got %v", err)
	}
}

func TestCheckLearner(t *testing.T) {
	for _, c := range []struct {
		learner, socket string
		ok              bool
	}{
		{"", "", true},
		{"http://127.0.0.1:19020", "", true},
		{"https://user:secret@learner.example/base", "wss://learner.example:8765", true},
		{"ws://127.0.0.1:8765", "", false},
		{"127.0.0.1:19020", "", false},
		{"http://", "", false},
		{"http://a/?b", "", false},
		{"http://user:secret@%zz", "", false},
		{"http://127.0.0.1:19020", "http://127.0.0.1:8765", false},
		{"", "ws://127.0.0.1:8765", false},
	} {
		cfg := Default()
		cfg.DataDir, cfg.Learner, cfg.LearnerSocket = "/tmp", c.learner, c.socket
		err := cfg.Validate()
		if (err == nil) != c.ok {
			t.Errorf("%q %q: %v", c.learner, c.socket, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

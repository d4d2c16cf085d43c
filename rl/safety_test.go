package rl

import (
	"math"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func newSafety() *safety {
	return &safety{fallback: true, holdout: 0.05, silence: 10 * time.Second, pause: time.Minute}
}

// play tells n outcomes of which a share is on time, 20 a second.
func (s *safety) play(by decider, n int, share float64) {
	for i := range n {
		s.look(s.now + 50*time.Millisecond)
		s.heard(by, math.Floor(float64(i+1)*share) > math.Floor(float64(i)*share))
	}
}

func TestFallsBackWhenWorse(t *testing.T) {
	cases := []struct {
		name          string
		learned, held float64
		samples       int
		want          sched.LearningState
	}{
		{"alike", 0.9, 0.9, 500, sched.Learned},
		{"better", 0.95, 0.85, 500, sched.Learned},
		{"much worse", 0.7, 0.9, 500, sched.FallbackWorse},
		{"worse by less than 2 points", 0.885, 0.9, 500, sched.Learned},
		{"worse, but it may be chance", 0.87, 0.9, 100, sched.Learned},
		{"worse, but hardly seen", 0, 1, 40, sched.Learned},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSafety()
			s.play(byHoldout, c.samples, c.held)
			s.play(byLearned, c.samples, c.learned)
			if s.state != c.want {
				t.Errorf("state %v, want %v", s.state, c.want)
			}
		})
	}
}

func TestFallbackEnds(t *testing.T) {
	s := newSafety()
	s.play(byHoldout, 200, 1)
	s.play(byLearned, 200, 0.5)
	if s.state != sched.FallbackWorse || s.falls != 1 {
		t.Fatalf("state %v after %d falls", s.state, s.falls)
	}
	fell := s.now
	for s.now < fell+50*time.Second {
		if s.play(byDefault, 20, 1); s.state != sched.FallbackWorse {
			t.Fatalf("state %v after %v", s.state, s.now-fell)
		}
	}
	if resumed := s.look(fell + 62*time.Second); !resumed || s.state != sched.Learned {
		t.Errorf("state %v after the pause", s.state)
	}
	if s.learned.count() != 0 || s.held.count() != 0 {
		t.Error("the old counts are held against it still")
	}
}

func TestFallsBackWhenSilent(t *testing.T) {
	s := newSafety()
	s.play(byLearned, 100, 1)
	for range 95 {
		s.look(s.now + 100*time.Millisecond)
	}
	if s.state != sched.Learned {
		t.Fatalf("state %v after less than 10 s without outcome", s.state)
	}
	for range 10 {
		s.look(s.now + 100*time.Millisecond)
	}
	if s.state != sched.FallbackSilent {
		t.Fatalf("state %v after more than 10 s without outcome", s.state)
	}
	s.heard(byDefault, false)
	if s.state != sched.Learned {
		t.Errorf("state %v after an outcome", s.state)
	}
}

// TestNobodyAskedIsNoSilence: a node at rest has no outcomes to tell.
func TestNobodyAskedIsNoSilence(t *testing.T) {
	s := newSafety()
	s.play(byLearned, 10, 1)
	if s.look(s.now + time.Hour); s.state != sched.Learned {
		t.Errorf("state %v after an hour without requests", s.state)
	}
}

func TestForgetsWhatIsNoNumber(t *testing.T) {
	p, err := Policies().New("calibrated", map[string]string{"warm-up": "0", "holdout": "0", "epsilon": "0", "epsilon-min": "0"})
	if err != nil {
		t.Fatal(err)
	}
	c := p.(*corrector)
	v := schedtest.View(1, schedtest.Self(1, 3, 60*time.Millisecond), schedtest.Neighbour("a", time.Millisecond, 1, 0, 60*time.Millisecond))
	r := schedtest.Request()
	r.Deadline = 100 * time.Millisecond
	c.Decide(v, r)
	c.models.get(r.Function).estimator.(*logistic).weights[0].Mean = math.NaN()
	d := c.Decide(v, r)
	if !finite(d.Score.Here) || !finite(d.Score.There) || d.Action != sched.Forward {
		t.Errorf("decided %+v", d)
	}
	if c.safety.state != sched.FallbackBroken || c.safety.falls != 1 {
		t.Errorf("state %v", c.safety.state)
	}
	if w := c.models.get(r.Function).estimator.(*logistic).weights[0].Mean; w != 0 {
		t.Errorf("the weight is %v still", w)
	}
	v.Now += 2 * time.Minute
	v.Neighbours[0].Sampled = v.Now
	if d := c.Decide(v, r); d.Action != sched.Forward || c.safety.state != sched.Learned {
		t.Errorf("state %v two minutes later: %+v", c.safety.state, d)
	}
}

func TestTemporalForgetsWhatIsNoNumber(t *testing.T) {
	p, err := Policies().New("sarsa", map[string]string{"window": "1"})
	if err != nil {
		t.Fatal(err)
	}
	s := p.(*temporal)
	a := s.agents.get("f")
	a.average = math.Inf(1)
	for range 3 {
		_, e := s.ledger.open()
		*e = acted{agent: a, id: a.Opened([]float64{0, 0}, AllActions(2), 0), by: byLearned}
		s.Observe(sched.Outcome{Decision: sched.Decision{Token: s.ledger.last}, OnTime: true})
	}
	if s.safety.state != sched.FallbackBroken || len(s.agents.entries) != 0 {
		t.Errorf("state %v, with an average reward of %v", s.safety.state, a.average)
	}
}

func TestRecent(t *testing.T) {
	var r recent
	if !math.IsNaN(r.mean()) {
		t.Errorf("the mean of nothing is %v", r.mean())
	}
	for range 500 {
		r.add(false)
	}
	for range 125 {
		r.add(true)
	}
	if r.count() != 500 || r.mean() != 0.25 {
		t.Errorf("%d with a mean of %v, want 500 with .25", r.count(), r.mean())
	}
}

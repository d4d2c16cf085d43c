package rl_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

const service = 60 * time.Millisecond

// busy is a node with work for a while, and two idle neighbours.
func busy(seed uint64) *sched.View {
	v := schedtest.View(seed, schedtest.Self(1, 4, service),
		schedtest.Neighbour("a", time.Millisecond, 1, 0, service), schedtest.Neighbour("b", time.Millisecond, 1, 0, service))
	v.Now += time.Duration(seed) * 100 * time.Millisecond
	for i := range v.Neighbours {
		v.Neighbours[i].Sampled = v.Now
	}
	return v
}

// TestRefusalsCount: a peer that refuses is shunned, though no outcome ever tells of
// the attempt: the invocation is answered by somebody else.
func TestRefusalsCount(t *testing.T) {
	for _, name := range []string{"calibrated", "residual", "bandit"} {
		p := newPolicy(t, name, settings{"warm-up": "0", "holdout": "0", "candidates": "4"})
		toA := [2]int{}
		for i := range 600 {
			v, r := busy(uint64(i)), schedtest.Request()
			r.Deadline = 150 * time.Millisecond
			d := p.Decide(v, r)
			if d.Peer == "a" {
				toA[i/300]++
				r.Token, r.Visited = d.Token, append(r.Visited, "a")
				d = p.Decide(v, r)
			}
			p.(sched.Observer).Observe(sched.Outcome{Request: *r, Decision: d, OnTime: true, Response: service})
		}
		if toA[0] == 0 || toA[1] > 60 {
			t.Errorf("%s: of 300 and 300 it sent %v to a peer that refuses", name, toA)
		}
	}
}

// TestHopelessIsRefused only if that was asked for.
func TestHopelessIsRefused(t *testing.T) {
	for _, hopeless := range []string{"0", "0.3"} {
		p := newPolicy(t, "calibrated", settings{"warm-up": "0", "holdout": "0", "epsilon": "0", "epsilon-min": "0", "hopeless": hopeless})
		refused := 0
		for i := range 400 {
			v, r := busy(uint64(i)), schedtest.Request()
			r.Deadline = 150 * time.Millisecond
			if d := serve(p, v, r, false); d.Action == sched.Refuse {
				refused++
			}
		}
		if (refused > 0) != (hopeless != "0") {
			t.Errorf("hopeless %s: refused %d of 400 that are never on time", hopeless, refused)
		}
	}
}

// TestHoldoutStaysWithTheDefault, whatever was learned.
func TestHoldoutStaysWithTheDefault(t *testing.T) {
	p := newPolicy(t, "calibrated", settings{"warm-up": "100", "holdout": "0.3", "pause": "1s"})
	for i := range 2000 {
		v, r := busy(uint64(i)), schedtest.Request()
		r.Deadline = 150 * time.Millisecond
		d := p.Decide(v, r)
		p.(sched.Observer).Observe(sched.Outcome{Request: *r, Decision: d, OnTime: d.Peer != "a"})
	}
	l := p.(sched.Learner).Learning()
	if l.OnTime < l.DefaultOnTime+0.2 || l.DefaultOnTime < 0.3 || l.DefaultOnTime > 0.7 {
		t.Errorf("%.2f on time by what was learned, %.2f by the default, which sends half to one that is late", l.OnTime, l.DefaultOnTime)
	}
	if l.Outcomes != 2000 || l.State != sched.Learned {
		t.Errorf("learning %+v", l)
	}
}

// TestSilenceLeavesItToTheDefault, and an outcome ends that.
func TestSilenceLeavesItToTheDefault(t *testing.T) {
	for _, name := range learners {
		p := newPolicy(t, name, settings{"silence": "5s"})
		r := schedtest.Request()
		r.Deadline = 150 * time.Millisecond
		var d sched.Decision
		for i := range 100 {
			d = p.Decide(busy(uint64(i)), r)
		}
		if state := p.(sched.Learner).Learning().State; state != sched.FallbackSilent {
			t.Errorf("%s: %v after 10 s without outcome", name, state)
		}
		if d.Action == sched.Probe || d.Reason == sched.ReasonLearned {
			t.Errorf("%s: the default decides %v, for %v", name, d.Action, d.Reason)
		}
		p.(sched.Observer).Observe(sched.Outcome{Request: *r, Decision: d})
		if state := p.(sched.Learner).Learning().State; state != sched.Learned {
			t.Errorf("%s: %v after an outcome", name, state)
		}
	}
}

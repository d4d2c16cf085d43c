package rl_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// twelve is a mesh of small computers under unequal load, as in the scenario p12.
func twelve(utilisation float64, length time.Duration) *sim.Scenario {
	return &sim.Scenario{
		Name: "twelve", Duration: length, Warmup: length / 3, Gossip: 500 * time.Millisecond, View: 64,
		Network: sim.Network{Delay: 3 * time.Millisecond},
		Nodes:   []sim.Group{{Count: 12, Servers: 1, Queue: 10, Rate: []float64{4, 6, 8, 12, 13, 14, 15, 16, 17, 18, 19, 20}}},
		Load:    sim.Traffic{Utilisation: utilisation},
		Classes: []sim.Class{{Share: 1, Function: "work", Service: 60 * time.Millisecond, Deadline: 194 * time.Millisecond}},
	}
}

// onTime simulates and returns the share on time and the policies.
func onTime(t *testing.T, sc *sim.Scenario, wrap func(sched.Policy) sched.Policy, name string, set settings) (float64, []sched.Policy) {
	t.Helper()
	all := sched.Policies()
	maps.Copy(all, rl.Policies())
	var made []sched.Policy
	r, err := sim.Run(context.Background(), sc, sim.Options{Seed: 1, Policy: name, New: func(int) (sched.Policy, error) {
		p, err := all.New(name, set)
		if err != nil {
			return nil, err
		}
		made = append(made, p)
		return wrap(p), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r.InDeadline, made
}

func plain(p sched.Policy) sched.Policy { return p }

// TestLevelWhereTheModelIsRight: there is nothing to gain, and nothing is lost.
func TestLevelWhereTheModelIsRight(t *testing.T) {
	sc := twelve(0.81, 120*time.Second)
	spread, _ := onTime(t, sc, plain, "spread", nil)
	for name, loss := range map[string]float64{"calibrated": 0.01, "residual": 0.01, "bandit": 0.02} {
		if got, _ := onTime(t, sc, plain, name, nil); got < spread-loss {
			t.Errorf("%s has %.3f on time, spread %.3f", name, got, spread)
		}
	}
	for _, name := range []string{"sarsa", "q-learning"} {
		got, _ := onTime(t, sc, plain, name, nil)
		if got < 0.5 || got > spread-0.1 {
			t.Errorf("%s has %.3f on time, spread %.3f: want what the literature has", name, got, spread)
		}
	}
}

// blinkered is a policy on nodes that all believe to be of nominal speed, and say so.
type blinkered struct {
	sched.Policy
	pull  sched.Puller
	view  sched.View
	peers []sched.Neighbour
}

func blinker(p sched.Policy) sched.Policy { return &blinkered{Policy: p, pull: p.(sched.Puller)} }

// look is what they believe.
func (b *blinkered) look(v *sched.View) *sched.View {
	b.view, b.peers = *v, append(b.peers[:0], v.Neighbours...)
	b.view.Neighbours = b.peers
	s := &b.view.Self
	slow := s.Load.Speed
	s.Service.Mean = time.Duration(float64(s.Service.Mean) / slow)
	s.Residual = time.Duration(float64(s.Residual) / slow)
	s.Line = nil
	nominal(&s.Load)
	for i := range b.peers {
		nominal(&b.peers[i].Load)
	}
	return &b.view
}

func nominal(l *sched.Load) {
	l.Wait = time.Duration(float64(l.Wait) / l.Speed)
	l.Speed = 1
}

func (b *blinkered) Decide(v *sched.View, r *sched.Request) sched.Decision {
	return b.Policy.Decide(b.look(v), r)
}
func (b *blinkered) Idle(v *sched.View) (sched.Pull, time.Duration, bool) {
	return b.pull.Idle(b.look(v))
}
func (b *blinkered) Pass(v *sched.View, ask sched.Pull) (peer.ID, bool) {
	return b.pull.Pass(b.look(v), ask)
}
func (b *blinkered) Pulled(e sched.PullEnd)   { b.pull.Pulled(e) }
func (b *blinkered) Served(now time.Duration) { b.pull.Served(now) }
func (b *blinkered) Report(n sched.News)      { nominal(&n.Load); b.Policy.(sched.Notified).Report(n) }
func (b *blinkered) Order() sched.Order       { return b.Policy.(sched.Orderer).Order() }
func (b *blinkered) Observe(o sched.Outcome) {
	if observer, ok := b.Policy.(sched.Observer); ok {
		observer.Observe(o)
	}
}

// throttled are twelve of which three are five times as slow as they say: what they
// run is late.
func throttled() *sim.Scenario {
	sc := twelve(0.66, 150*time.Second)
	sc.Classes[0].Distribution = sim.Fixed
	sc.Nodes[0].Speed = []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 0.2, 0.2, 0.2}
	return sc
}

// TestGainsWhereNodesAreSlowerThanTheySay is what a rule cannot know.
func TestGainsWhereNodesAreSlowerThanTheySay(t *testing.T) {
	sc := throttled()
	spread, _ := onTime(t, sc, blinker, "spread", nil)
	for _, name := range []string{"calibrated", "residual"} {
		got, made := onTime(t, sc, blinker, name, nil)
		if got < spread+0.02 {
			t.Errorf("%s has %.3f on time, spread %.3f", name, got, spread)
		}
		l := made[0].(sched.Learner).Learning()
		if l.State != sched.Learned || l.Outcomes < 100 || l.Functions != 1 || l.Lost > l.Outcomes/10 {
			t.Errorf("%s says of itself %+v", name, l)
		}
	}
}

// TestDoubleDecisionGains: the literature's, and the reference's, finding.
func TestDoubleDecisionGains(t *testing.T) {
	sc := twelve(0.81, 300*time.Second)
	single, _ := onTime(t, sc, plain, "sarsa", settings{"form": "table"})
	double, _ := onTime(t, sc, plain, "sarsa", settings{"form": "table", "accept": "true"})
	if double < single+0.02 {
		t.Errorf("with receivers that may refuse %.3f are on time, without %.3f", double, single)
	}
}

// TestRestartKeepsWhatWasLearned: nodes that come back with their snapshots do at once
// what they did before; nodes without begin again.
func TestRestartKeepsWhatWasLearned(t *testing.T) {
	before, made := onTime(t, throttled(), blinker, "calibrated", nil)
	start := throttled()
	start.Duration, start.Warmup = 40*time.Second, 0
	afresh, _ := onTime(t, start, blinker, "calibrated", nil)
	restored, node := 0, 0
	after, _ := onTime(t, start, func(p sched.Policy) sched.Policy {
		saved, err := made[node].(sched.Snapshotter).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.(sched.Snapshotter).Restore(saved); err != nil {
			t.Fatal(err)
		}
		restored++
		node++
		return blinker(p)
	}, "calibrated", nil)
	if restored != 12 || after < before-0.01 || after < afresh+0.02 {
		t.Errorf("%d nodes restored: %.3f on time before, %.3f after, %.3f without", restored, before, after, afresh)
	}
}

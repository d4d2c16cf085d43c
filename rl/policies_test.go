package rl_test

import (
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

type settings = map[string]string

// learners are the policies that learn in the node.
var learners = []string{"bandit", "calibrated", "q-learning", "residual", "sarsa"}

func newPolicy(t testing.TB, name string, set settings) sched.Policy {
	t.Helper()
	all := sched.Policies()
	maps.Copy(all, rl.Policies())
	p, err := all.New(name, set)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConformance(t *testing.T) {
	eager := settings{"warm-up": "0", "holdout": "0.5", "epsilon": "0.5", "hopeless": "0.5", "guard": "0", "candidates": "8"}
	cases := []struct {
		name, policy string
		set          settings
	}{
		{"calibrated", "calibrated", nil},
		{"calibrated at once", "calibrated", eager},
		{"residual", "residual", nil},
		{"residual at once", "residual", eager},
		{"bandit", "bandit", nil},
		{"bandit at once", "bandit", settings{"warm-up": "0", "candidates": "8"}},
		{"sarsa", "sarsa", nil},
		{"sarsa with a table", "sarsa", settings{"form": "table"}},
		{"sarsa at both ends", "sarsa", settings{"accept": "true", "reward": "response"}},
		{"sarsa at both ends with a table", "sarsa", settings{"accept": "true", "form": "table", "window": "1"}},
		{"sarsa with a net", "sarsa", settings{"fallback": "true", "warm-up": "2", "holdout": "0.5"}},
		{"q-learning", "q-learning", nil},
		{"q-learning with a table", "q-learning", settings{"form": "table", "weights": "work=2,other.namespace=0"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			schedtest.Run(t, func(t *testing.T) sched.Policy { return newPolicy(t, c.policy, c.set) }, schedtest.MaxInvocations(40))
		})
	}
}

// TestUntrainedDecidesAsTheDefault: with nothing learned yet, whoever corrects the
// default does exactly what it does.
func TestUntrainedDecidesAsTheDefault(t *testing.T) {
	for name, set := range map[string]settings{
		"calibrated": {"warm-up": "0", "holdout": "0", "epsilon": "0", "epsilon-min": "0"},
		"residual":   {"warm-up": "0", "holdout": "0", "epsilon": "0", "epsilon-min": "0"},
		"bandit":     {"warm-up": "1000"},
	} {
		t.Run(name, func(t *testing.T) {
			p, spread := newPolicy(t, name, set), newPolicy(t, "spread", nil)
			rng := seeded(5)
			forwards := 0
			for i := range 500 {
				v := moment(rng)
				r := schedtest.Request()
				r.Deadline = time.Duration(rng.IntN(400)) * time.Millisecond
				v.Rand = seeded(uint64(i))
				want := spread.Decide(v, r)
				v.Rand = seeded(uint64(i))
				got := p.Decide(v, r)
				got.Token = 0
				if got.Action != want.Action || got.Peer != want.Peer || got.Reason != want.Reason || got.Score != want.Score {
					t.Fatalf("decision %d: %+v, the default %+v", i, got, want)
				}
				if want.Action == sched.Forward {
					forwards++
				}
			}
			if forwards < 50 || forwards > 450 {
				t.Errorf("%d of 500 were forwarded: too much alike to tell", forwards)
			}
		})
	}
}

// moment is a node and 12 neighbours of random loads.
func moment(rng *rand.Rand) *sched.View {
	const service = 60 * time.Millisecond
	var neighbours []sched.Neighbour
	for i := range 12 {
		n := schedtest.Neighbour(string(rune('a'+i)), 4*time.Millisecond, 1, rng.IntN(4), service)
		n.Sampled -= time.Duration(rng.IntN(300)) * time.Millisecond
		neighbours = append(neighbours, n)
	}
	return schedtest.View(1, schedtest.Self(1, rng.IntN(4), service), neighbours...)
}

func TestDecideDoesNotAllocate(t *testing.T) {
	for _, name := range learners {
		for _, form := range []string{"", "table"} {
			if form != "" && name != "sarsa" && name != "q-learning" {
				continue
			}
			set := settings{"warm-up": "0"}
			if form != "" {
				set["form"] = form
			}
			t.Run(name+form, func(t *testing.T) {
				p := newPolicy(t, name, set)
				v, r := crowd(), schedtest.Request()
				r.Deadline = 200 * time.Millisecond
				turn := func() { serve(p, v, r, true) }
				for range 5000 { // all states seen, all memory there
					turn()
				}
				if allocs := testing.AllocsPerRun(1000, turn); allocs != 0 {
					t.Errorf("%v allocations for a decision and its outcome", allocs)
				}
			})
		}
	}
}

// serve decides, answering probes, and tells the outcome.
func serve(p sched.Policy, v *sched.View, r *sched.Request, onTime bool) sched.Decision {
	d := p.Decide(v, r)
	if d.Action == sched.Probe {
		second := *r
		second.Round, second.Token, second.Probed = 1, d.Token, d.Probes
		d = p.Decide(v, &second)
	}
	if o, ok := p.(sched.Observer); ok {
		o.Observe(sched.Outcome{Request: *r, Decision: d, OnTime: onTime, Response: 100 * time.Millisecond})
	}
	return d
}

// crowd is a busy node with 64 neighbours of various loads.
func crowd() *sched.View {
	var neighbours []sched.Neighbour
	for i := range 64 {
		n := schedtest.Neighbour(string([]byte{'n', byte('0' + i/10), byte('0' + i%10)}), time.Duration(1+i%9)*time.Millisecond, 1+i%4, i%11, 60*time.Millisecond)
		n.Sampled -= time.Duration(i) * 10 * time.Millisecond
		neighbours = append(neighbours, n)
	}
	return schedtest.View(1, schedtest.Self(2, 9, 60*time.Millisecond), neighbours...)
}

// BenchmarkDecide is a decision and its outcome; what learning adds is the
// difference to spread.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name string
		set  settings
	}{{"spread", nil}, {"calibrated", nil}, {"residual", nil}, {"bandit", nil}, {"sarsa", nil}, {"sarsa", settings{"form": "table"}}, {"q-learning", nil}} {
		b.Run(c.name+c.set["form"], func(b *testing.B) {
			p, v, r := newPolicy(b, c.name, c.set), crowd(), schedtest.Request()
			r.Deadline = 200 * time.Millisecond
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				serve(p, v, r, i%8 != 0)
			}
		})
	}
}

func TestDescribes(t *testing.T) {
	for _, name := range learners {
		if p := newPolicy(t, name, nil).(sched.Describer).Describe(); len(p) < 20 {
			t.Errorf("%s describes itself as %q", name, p)
		}
		parameters, err := rl.Policies().Parameters(name)
		if err != nil {
			t.Fatal(err)
		}
		keys := make(map[string]bool)
		for _, p := range parameters {
			if keys[p.Key] {
				t.Errorf("%s has two parameters %s", name, p.Key)
			}
			keys[p.Key] = true
		}
	}
}

// TestStandsOnTheDefault: what is not about deciding is the default's.
func TestStandsOnTheDefault(t *testing.T) {
	for _, name := range []string{"calibrated", "residual", "bandit"} {
		p := newPolicy(t, name, settings{"order": "deadline"})
		if o, ok := p.(sched.Orderer); !ok || o.Order() != sched.OrderDeadline {
			t.Errorf("%s does not order the queue as it was told", name)
		}
		if _, ok := p.(sched.Puller); !ok {
			t.Errorf("%s does not ask for work", name)
		}
		if _, ok := p.(sched.Notified); !ok {
			t.Errorf("%s hears no reports", name)
		}
	}
}

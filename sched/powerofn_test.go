package sched_test

import (
	"math"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// probed says that the peers of these names answered in the round before.
func probed(names ...string) func(s *scene) {
	return func(s *scene) {
		s.request.Round = 1
		for _, name := range names {
			s.request.Probed = append(s.request.Probed, schedtest.ID(name))
		}
	}
}

func and(changes ...func(s *scene)) func(s *scene) {
	return func(s *scene) {
		for _, change := range changes {
			change(s)
		}
	}
}

func full(s *scene)        { s.self().Room = false }
func notDeployed(s *scene) { s.self().Deployed = false }
func lastRound(s *scene)   { s.request.Round = sched.MaxRounds - 1 }

func TestPowerOfN(t *testing.T) {
	testRulings(t, "power-of-n", nil, []ruling{
		{"below the threshold", 0, []int{0}, nil, sched.Run, "", sched.ReasonBelowThreshold},
		{"threshold is the servers", 1, []int{0}, func(s *scene) { s.self().Load.Servers = 2 }, sched.Run, "", sched.ReasonBelowThreshold},
		{"loaded", 1, []int{0, 0, 0}, nil, sched.Probe, "", sched.ReasonProbing},
		{"loaded, alone", 1, nil, nil, sched.Run, "", sched.ReasonOnlyHere},
		{"loaded, only visited ones", 1, []int{0}, func(s *scene) { s.came("a"); s.request.Hops = 0 }, sched.Run, "", sched.ReasonOnlyHere},
		{"hop limit", 5, []int{0}, func(s *scene) { s.came("x") }, sched.Run, "", sched.ReasonHopLimit},
		{"hop limit, full", 5, []int{0}, func(s *scene) { s.came("x"); full(s) }, sched.Refuse, "", sched.ReasonFull},
		{"nested", 5, []int{0}, func(s *scene) { s.request.Nested = true; full(s) }, sched.Run, "", sched.ReasonNested},

		{"the least loaded of the probed", 5, []int{3, 2, 0}, probed("a", "b"), sched.Forward, "b", sched.ReasonLessLoaded},
		{"as loaded", 2, []int{2, 0}, probed("a"), sched.Run, "", sched.ReasonNoneLess},
		{"own sends count", 2, []int{0}, and(probed("a"), func(s *scene) { s.peer("a").OwnSends = 2 }), sched.Run, "", sched.ReasonNoneLess},
		{"as loaded, full", 2, []int{2}, and(probed("a"), full), sched.Refuse, "", sched.ReasonFull},
		{"no answer is no load of 0", 5, []int{0, 0}, probed(), sched.Run, "", sched.ReasonProbesFailed},
		{"no answer, full", 5, []int{0}, and(probed(), full), sched.Refuse, "", sched.ReasonFull},
		{"answered and gone", 5, []int{0}, probed("gone"), sched.Run, "", sched.ReasonProbesFailed},
		{"less to do meanwhile", 0, []int{0}, probed("a"), sched.Run, "", sched.ReasonBelowThreshold},

		{"not deployed", 0, []int{0, 0}, notDeployed, sched.Probe, "", sched.ReasonProbing},
		{"not deployed, probed", 0, []int{9, 8}, and(notDeployed, probed("a", "b")), sched.Forward, "b", sched.ReasonNotDeployed},
		{"not deployed, no answer: others", 0, []int{9, 8}, and(notDeployed, probed()), sched.Probe, "", sched.ReasonProbing},
		{"not deployed, no answer at last", 0, []int{9, 8}, and(notDeployed, probed(), lastRound),
			sched.Refuse, "", sched.ReasonProbesFailed},
		{"not deployed, alone", 0, nil, notDeployed, sched.Refuse, "", sched.ReasonNotDeployed},
		{"not deployed, hop limit", 0, []int{0}, func(s *scene) { s.came("x"); notDeployed(s) }, sched.Refuse, "", sched.ReasonNotDeployed},
	})
}

func TestPowerOfNParameters(t *testing.T) {
	testRulings(t, "power-of-n", map[string]string{"t": "3"}, []ruling{
		{"threshold three, load two", 2, []int{0}, nil, sched.Run, "", sched.ReasonBelowThreshold},
		{"threshold three, load three", 3, []int{0}, nil, sched.Probe, "", sched.ReasonProbing},
	})
	testRulings(t, "power-of-n", map[string]string{"t": "0"}, []ruling{
		{"threshold zero probes always", 0, []int{0}, nil, sched.Probe, "", sched.ReasonProbing},
	})
	testRulings(t, "power-of-n", map[string]string{"loss": "true", "t": "2"}, []ruling{
		{"loss refuses to queue", 1, []int{0}, nil, sched.Refuse, "", sched.ReasonFull},
		{"loss, none less", 2, []int{2}, probed("a"), sched.Refuse, "", sched.ReasonFull},
		{"loss forwards", 2, []int{1}, probed("a"), sched.Forward, "a", sched.ReasonLessLoaded},
		{"loss, free", 0, []int{1}, nil, sched.Run, "", sched.ReasonBelowThreshold},
	})
	testRulings(t, "power-of-n", map[string]string{"hops": "2"}, []ruling{
		{"two hops, one done", 1, []int{0}, func(s *scene) { s.came("x") }, sched.Probe, "", sched.ReasonProbing},
		{"two hops, both done", 1, []int{0}, func(s *scene) { s.came("x", "y") }, sched.Run, "", sched.ReasonHopLimit},
	})
}

func TestPowerOfNProbesAtRandom(t *testing.T) {
	s := newScene(5, 0, 0, 0, 0, 0)
	s.request.Visited = []peer.ID{schedtest.ID("e")}
	p := newPolicy(t, "power-of-n", map[string]string{"f": "2"})
	const times = 20_000
	counts := map[peer.ID]int{}
	for range times {
		d := p.Decide(s.view, s.request)
		if len(d.Probes) != 2 || d.Probes[0] == d.Probes[1] {
			t.Fatalf("probes %q, want two peers", d.Probes)
		}
		for _, id := range d.Probes {
			counts[id]++
		}
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if share := float64(counts[schedtest.ID(name)]) / times; math.Abs(share-0.5) > 0.02 {
			t.Errorf("%s was probed %.3f of the time, want 0.5", name, share)
		}
	}
	if counts[schedtest.ID("e")] > 0 {
		t.Error("probed a peer that was visited")
	}
}

func TestPowerOfNProbesAllIfFew(t *testing.T) {
	s := newScene(5, 0, 0, 0)
	d := newPolicy(t, "power-of-n", map[string]string{"f": "9"}).Decide(s.view, s.request)
	got := slices.Sorted(slices.Values(d.Probes))
	if !slices.Equal(got, []peer.ID{"a", "b", "c"}) {
		t.Errorf("probes %q, want all three", got)
	}
}

// The published code forwards to any of those not more loaded, not to the least.
func TestPowerOfNUpstreamVariant(t *testing.T) {
	upstream := map[string]string{"variant": "upstream", "f": "4"}
	s := newScene(3, 0, 3, 4, 2)
	probed("a", "b", "c", "d")(s)
	got := shares(t, newPolicy(t, "power-of-n", upstream), s)
	for id, want := range map[peer.ID]float64{"a": 1.0 / 3, "b": 1.0 / 3, "d": 1.0 / 3, "c": 0} {
		if math.Abs(got[id]-want) > 0.02 {
			t.Errorf("share of %s is %.3f, want %.3f", id, got[id], want)
		}
	}
	testRulings(t, "power-of-n", upstream, []ruling{
		{"all as loaded", 3, []int{3, 3}, probed("a", "b"), sched.Run, "", sched.ReasonNoneLess},
	})
}

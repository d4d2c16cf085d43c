package sim_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// busy is twelve nodes of unequal load.
func busy(utilisation float64, duration time.Duration) *sim.Scenario {
	sc := alike(12, 1, 10, utilisation, duration)
	sc.Nodes[0].Rate = []float64{4, 6, 8, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	sc.Plain, sc.Gossip, sc.Network.Delay = false, 500*time.Millisecond, 3*time.Millisecond
	sc.Classes[0].Deadline = 323 * time.Millisecond
	return sc
}

// TestSinkhole: who reports to be idle and refuses everything is sent little
// after two seconds.
func TestSinkhole(t *testing.T) {
	t.Parallel()
	sc := busy(0.6, 60*time.Second)
	sc.Warmup = 2 * time.Second
	sc.Nodes = append(sc.Nodes, sim.Group{Count: 1, Servers: 1, Queue: 10, Sinkhole: true})
	for seed := range uint64(5) {
		r := run(t, sc, sim.Options{Policy: "spread", Seed: seed + 1})
		var all int
		for _, n := range r.PerNode {
			all += n.Received
		}
		if share := float64(r.PerNode[12].Received) / float64(all); share >= 0.05 {
			t.Errorf("seed %d: the sinkhole gets %.1f %% of %d forwards", seed+1, 100*share, all)
		}
		if r.InDeadline < 0.9 {
			t.Errorf("seed %d: only %.3f are on time", seed+1, r.InDeadline)
		}
	}
}

// TestAlone: with all others dead a node does as well as one that is on its own.
func TestAlone(t *testing.T) {
	t.Parallel()
	sc := busy(0.5, 60*time.Second)
	sc.Warmup = 2 * time.Second
	sc.Nodes[0].Rate = []float64{7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	sc.Load.Utilisation = 0
	sc.Events = []sim.Event{{At: 0, Nodes: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, Kill: true}}
	alone := *sc
	alone.Expiry = sim.ExpiryOn
	local := run(t, &alone, sim.Options{Policy: "local", Seed: 1})
	r := run(t, sc, sim.Options{Policy: "spread", Seed: 1})
	if r.InDeadline < local.InDeadline-0.02 || r.Lost > 0 {
		t.Errorf("on time %.3f, local %.3f, lost %v", r.InDeadline, local.InDeadline, r.Lost)
	}
}

// TestOverload: at one and a half times the capacity at least as many a second
// are on time as at capacity.
func TestOverload(t *testing.T) {
	t.Parallel()
	onTime := func(utilisation float64) float64 {
		r := run(t, busy(utilisation, 60*time.Second), sim.Options{Policy: "spread", Seed: 1})
		return r.InDeadline * float64(r.Requests)
	}
	if at, above := onTime(1), onTime(1.5); above < at {
		t.Errorf("on time: %.0f at capacity, %.0f at one and a half times that", at, above)
	}
}

// TestKill: what waits at a node that dies is lost to its own clients alone; what
// others sent there is answered elsewhere. Restarted, the node takes part again.
func TestKill(t *testing.T) {
	t.Parallel()
	sc := busy(0.6, 60*time.Second)
	sc.Events = []sim.Event{
		{At: 20 * time.Second, Nodes: []int{11}, Kill: true},
		{At: 40 * time.Second, Nodes: []int{11}, Restart: true},
	}
	var lostElsewhere, lostAt11, ranLate int
	run(t, sc, sim.Options{Policy: "spread", Seed: 1, Record: func(r sim.Record) {
		switch {
		case r.Result == "failed" && r.Origin != 11:
			lostElsewhere++
		case r.Result == "failed":
			lostAt11++
		case r.Executor == 11 && r.Entered > 41*time.Second && r.Origin != 11:
			ranLate++
		case r.Executor == 11 && r.Entered > 20*time.Second && r.Entered+r.Response < 40*time.Second:
			t.Errorf("%+v: ran on a dead node", r)
		}
	}})
	if lostElsewhere > 0 || lostAt11 == 0 || ranLate == 0 {
		t.Errorf("lost %d at the node, %d elsewhere; after the restart it ran %d of others", lostAt11, lostElsewhere, ranLate)
	}
}

// TestSpeed: a node that slows down serves that much more slowly, what runs included.
func TestSpeed(t *testing.T) {
	t.Parallel()
	sc := alike(1, 1, 1000, 0.2, 1000*time.Second)
	sc.Classes[0].Distribution = sim.Fixed
	sc.Events = []sim.Event{{At: 500 * time.Second, Nodes: []int{0}, Speed: 0.5}}
	run(t, sc, sim.Options{Policy: "local", Seed: 1, Record: func(r sim.Record) {
		started := r.Entered + r.Waited
		want := 100 * time.Millisecond
		switch change := 500 * time.Second; {
		case started >= change:
			want *= 2
		case started+want > change:
			want += started + want - change
		}
		if r.Service != want {
			t.Errorf("what started at %v ran %v, want %v", started, r.Service, want)
		}
	}})
}

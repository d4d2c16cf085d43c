package sim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// entry is what an arrival and its record have in common.
type entry struct {
	At          time.Duration
	Node, Class int
	Demand      time.Duration
}

// TestArrivals: they are what a run simulates.
func TestArrivals(t *testing.T) {
	sc := twelve()
	sc.Events, sc.Warmup, sc.Nodes[1].Speed = nil, 0, nil
	var ran []entry
	run(t, sc, sim.Options{Policy: "pooled", Seed: 3, Record: func(r sim.Record) {
		if r.Result == "answered" {
			ran = append(ran, entry{r.Entered, r.Origin, r.Class, r.Service})
		}
	}})
	arrivals, err := sim.Arrivals(sc, 3)
	if err != nil {
		t.Fatal(err)
	}
	var all []entry
	last := time.Duration(0)
	for a := range arrivals {
		if a.At < last {
			t.Fatalf("an arrival at %v follows one at %v", a.At, last)
		}
		last = a.At
		all = append(all, entry{a.At, a.Node, a.Class, a.Demand})
	}
	if len(ran) < len(all)*9/10 {
		t.Fatalf("%d of %d ran: too few to compare", len(ran), len(all))
	}
	known := make(map[entry]bool, len(all))
	for _, e := range all {
		known[e] = true
	}
	for _, e := range ran {
		if !known[e] {
			t.Fatalf("%+v ran, but is no arrival", e)
		}
	}
}

// TestArrivalsAgain: they are the same each time that they are asked for.
func TestArrivalsAgain(t *testing.T) {
	arrivals, err := sim.Arrivals(twelve(), 4)
	if err != nil {
		t.Fatal(err)
	}
	var one, two []sim.Arrival
	for a := range arrivals {
		one = append(one, a)
	}
	for a := range arrivals {
		two = append(two, a)
	}
	if len(one) == 0 || !cmp.Equal(one, two) {
		t.Errorf("%d arrivals, then %d others", len(one), len(two))
	}
}

func TestNothingArrives(t *testing.T) {
	sc := twelve()
	sc.Nodes, sc.Events = []sim.Group{{Count: 2, Servers: 1}}, nil
	arrivals, err := sim.Arrivals(sc, 1)
	if err != nil {
		t.Fatal(err)
	}
	for a := range arrivals {
		t.Fatalf("%+v arrives", a)
	}
}

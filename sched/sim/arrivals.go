package sim

import (
	"cmp"
	"iter"
	"time"
)

// Arrival is one invocation that enters.
type Arrival struct {
	At          time.Duration
	Node, Class int
	// Demand is how long it runs on a node of speed 1.
	Demand time.Duration
}

// Arrivals are what enters in a run of a scenario with that seed (0 is the
// scenario's), in the order of time: what Run simulates, for those who load real
// nodes with the same. The scenario must not be changed while they are drawn.
func Arrivals(sc *Scenario, seed uint64) (iter.Seq[Arrival], error) {
	if err := sc.Check(); err != nil {
		return nil, err
	}
	return func(yield func(Arrival) bool) {
		w := &world{sc: sc, seed: cmp.Or(seed, sc.Seed, 1), end: sc.Duration, classes: sc.Classes}
		w.place()
		w.pour()
		w.expectArrivals()
		for len(w.agenda.events) > 0 && w.agenda.events[0].at < w.end {
			next := w.agenda.next()
			f := &w.flows[next.arg]
			if !yield(Arrival{At: next.at, Node: int(f.node), Class: int(f.class), Demand: time.Duration(w.draw(next.arg))}) {
				return
			}
		}
	}, nil
}

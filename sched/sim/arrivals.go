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
	// Luck is from 0 to 1; where a share of the calls stalls, those of less luck do.
	Luck float64
}

// luck is a hash rather than a draw: it is the same whatever becomes of others.
func luck(seed uint64, at time.Duration, node, class int32) float64 {
	return float64(mix(mix(seed^uint64(at))^uint64(node)<<32^uint64(class))>>11) / (1 << 53)
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
			a := Arrival{At: next.at, Node: int(f.node), Class: int(f.class), Luck: luck(w.seed, next.at, f.node, f.class)}
			if a.Demand = time.Duration(w.draw(next.arg)); !yield(a) {
				return
			}
		}
	}, nil
}

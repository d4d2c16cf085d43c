package sched

import "slices"

// beliefs are those in all neighbours to which an invocation may go. Its memory
// is reused from one decision to the next.
type beliefs struct {
	list []belief
	mix  mixture
	pace pace
	// unseen is how many forwards all neighbours made since they reported: the
	// sum of their forwards-out times the mean age of the reports.
	unseen float64

	// vessels are poured by the first draw, with mass up to level.
	vessels     []vessel
	mass, level float64
}

// look takes in the view for one invocation.
func (b *beliefs) look(v *View, r *Request, e estimates, m *climate) {
	b.list, b.vessels = b.list[:0], b.vessels[:0]
	b.pace = paceOf(v, e.prior)
	b.mix = mixtureOf(&v.Self, b.pace)
	b.unseen = eachCandidate(v, r, e.maxAge, func(i int, _ *Neighbour, trust float64) { b.add(i, trust, v, m) })
}

func (b *beliefs) add(index int, trust float64, v *View, m *climate) {
	b.list = slices.Grow(b.list, 1)[:len(b.list)+1]
	c, n := &b.list[len(b.list)-1], &v.Neighbours[index]
	c.neighbour, c.trust = index, trust
	c.service = b.pace.service(n.Service, n.Load.Speed)
	c.delay = seconds(n.RTT) + coldStart(n.Warm, n.Cold)
	c.width = float64(max(1, n.Load.Servers)) / (b.mix.mean * speedFactor(n.Load.Speed))
	c.age(n, v.Now, b.mix, m)
}

// draw picks one by the water in it, where one mean job was poured in, or that
// share of what all have forwarded unseen.
func (b *beliefs) draw(v *View, share float64) *belief {
	if len(b.vessels) == 0 {
		b.pour(max(1, share*b.unseen))
	}
	return &b.list[drawAt(b.vessels, b.level, b.mass, v.Rand)]
}

// pour fills the neighbours with so many mean jobs of water.
func (b *beliefs) pour(mass float64) {
	for i := range b.list {
		b.vessels = append(b.vessels, b.list[i].vessel())
	}
	b.mass, b.level = mass, waterLevel(b.vessels, mass)
}

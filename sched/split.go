package sched

import "fmt"

// split sends away a fixed share of what arrives, reckoned from rates alone: a
// node to which more arrives than its part of the mesh's capacity forwards the
// surplus, to those that have room left, in proportion to it. It is the
// static optimum if queues did not matter, and how weighted proxies work
// (DFaaS's "node margin" strategy is one); at the scale of one service time rates
// say nothing of queues.
type split struct {
	choice
	estimates estimates
}

func newSplit(s *Settings) Policy {
	p := &split{}
	p.bind(s, 1, false)
	p.estimates.bind(s)
	return p
}

// Describe implements Describer.
func (p *split) Describe() string {
	return fmt.Sprintf("split: forward the surplus over this node's share of all arrivals, to those below theirs (hops %d, free %t)", p.hops, p.free)
}

// Decide implements Policy.
func (p *split) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	own := v.Self.Load
	own.Rate = v.OwnRate
	pace := paceOf(v, p.estimates.prior)
	rates, capacity := own.Rate, capacityOf(&own, pace.service(v.Self.Service, own.Speed))
	for _, i := range p.others {
		n := &v.Neighbours[i]
		rates += sane(n.Load.Rate, 0)
		capacity += capacityOf(&n.Load, pace.service(n.Service, n.Load.Speed))
	}
	utilisation := rates / capacity
	surplus := own.Rate - utilisation*capacityOf(&own, pace.service(v.Self.Service, own.Speed))
	if v.Self.Deployed && v.Rand.Float64()*own.Rate >= surplus {
		return p.here(v, ReasonShare)
	}
	return forwardTo(p.below(v, pace, utilisation), ReasonShare)
}

// capacityOf is how many invocations a second its servers can do.
func capacityOf(l *Load, service float64) float64 { return float64(max(1, l.Servers)) / service }

// below draws a neighbour by how much less arrives there than its share.
func (p *split) below(v *View, pace pace, utilisation float64) *Neighbour {
	room := func(n *Neighbour) float64 {
		return max(0, utilisation*capacityOf(&n.Load, pace.service(n.Service, n.Load.Speed))-sane(n.Load.Rate, 0))
	}
	var all float64
	for _, i := range p.others {
		all += room(&v.Neighbours[i])
	}
	left := v.Rand.Float64() * all
	for _, i := range p.others {
		if left -= room(&v.Neighbours[i]); left < 0 {
			return &v.Neighbours[i]
		}
	}
	return p.any(v) // nobody is below, or rounding
}

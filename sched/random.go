package sched

import "fmt"

// random runs each invocation on a node drawn from all, this one included,
// each as likely. It knows nothing of loads: what every better policy must
// beat, and no worse than those that act on news that is too old (Mitzenmacher,
// "How Useful Is Old Information?", IEEE TPDS, 2000).
type random struct{ choice }

func newRandom(s *Settings) Policy {
	p := &random{}
	p.bind(s, 1, false)
	return p
}

// Describe implements Describer.
func (p *random) Describe() string {
	return fmt.Sprintf("random: a node drawn from all, this one included (hops %d, free %t)", p.hops, p.free)
}

// Decide implements Policy.
func (p *random) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	if v.Self.Deployed && v.Rand.IntN(len(p.others)+1) == 0 {
		return p.here(v, ReasonDrawn)
	}
	return forwardTo(p.any(v), ReasonDrawn)
}

// forward sends each invocation to a random neighbour, hops times, and then
// runs it where it is: P2PFaaS's ForwardScheduler. It measures what a hop costs.
type forward struct{ choice }

func newForward(s *Settings) Policy {
	p := &forward{}
	p.bind(s, 1, false)
	return p
}

// Describe implements Describer.
func (p *forward) Describe() string {
	return fmt.Sprintf("forward: to a random neighbour, %d times (free %t)", p.hops, p.free)
}

// Decide implements Policy.
func (p *forward) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	return forwardTo(p.any(v), ReasonDrawn)
}

// reject refuses everything: for tests of what callers do then.
type reject struct{}

func newReject(*Settings) Policy { return reject{} }

// Describe implements Describer.
func (reject) Describe() string { return "reject: refuse everything" }

// Decide implements Policy.
func (reject) Decide(*View, *Request) Decision {
	return Decision{Action: Refuse, Reason: ReasonAlways}
}

package sched

import "fmt"

// local runs everything where it arrives, from the queue if need be, and
// refuses what the queue does not take. It is what a mesh is measured against, and
// right where moving an invocation costs more than waiting.
//
// Only what is not deployed here goes to a peer: the one where an answer is
// expected soonest, up to hops forwards. Nodes that know the same all
// choose the same one; spread does better if that is the rule rather than the exception.
type local struct {
	hops      int
	loss      bool
	estimates estimates
	outlook   outlook
}

func newLocal(s *Settings) Policy {
	p := &local{}
	s.Int(&p.hops, "hops", 3, 0, 16, "forwards after which an invocation that is not deployed here is refused")
	s.Bool(&p.loss, "loss", false, "refuse what would have to wait here")
	p.estimates.bind(s)
	return p
}

// Describe implements Describer.
func (p *local) Describe() string {
	return fmt.Sprintf("local: run everything here that is deployed here (loss %t, hops %d for the rest)", p.loss, p.hops)
}

// Decide implements Policy.
func (p *local) Decide(v *View, r *Request) Decision {
	switch {
	case v.Self.Deployed && r.Nested:
		return Decision{Action: Run, Reason: ReasonNested}
	case v.Self.Deployed && v.Self.Free:
		return Decision{Action: Run, Reason: ReasonFreeServer}
	case v.Self.Deployed && p.loss:
		return Decision{Action: Refuse, Reason: ReasonFull}
	case v.Self.Deployed || r.Hops >= p.hops:
		return stay(v, ReasonAlways)
	}
	p.outlook.look(v, r, p.estimates)
	c := p.outlook.soonest()
	if c == nil {
		return stay(v, ReasonAlways)
	}
	id := v.Neighbours[c.neighbour].ID
	return Decision{Action: Forward, Peer: id, Reason: ReasonNotDeployed, Score: Score{There: c.response()}}
}

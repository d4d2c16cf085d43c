package sched

// choice is what the simple policies have in common: who may be chosen, and
// what needs no choosing.
type choice struct {
	hops int
	free bool
	loss bool
	// others are the neighbours that may be chosen, as indices in the view.
	others []int
}

// bind names the parameters; free is its default.
func (c *choice) bind(s *Settings, hops int, free bool) {
	s.Int(&c.hops, "hops", hops, 1, 16, "forwards after which an invocation stays where it is")
	s.Bool(&c.free, "free", free, "run here, without choosing, while a server is free")
	s.Bool(&c.loss, "loss", false, "refuse what would have to wait here")
}

// settled looks who may be chosen, and decides if there is nothing to choose.
func (c *choice) settled(v *View, r *Request) (Decision, bool) {
	if r.Nested && v.Self.Deployed {
		return Decision{Action: Run, Reason: ReasonNested}, true
	}
	if c.free && v.Self.Deployed && v.Self.Free {
		return Decision{Action: Run, Reason: ReasonFreeServer}, true
	}
	if r.Hops >= c.hops {
		return c.here(v, ReasonHopLimit), true
	}
	c.others = c.others[:0]
	for i := range v.Neighbours {
		if mayTake(v, r, &v.Neighbours[i]) {
			c.others = append(c.others, i)
		}
	}
	if len(c.others) == 0 {
		return c.here(v, ReasonOnlyHere), true
	}
	return Decision{}, false
}

// mayTake tells whether the invocation may go to n, and n is not known to fail.
func mayTake(v *View, r *Request, n *Neighbour) bool {
	const least = 0.01 // of a hundred attempts less than one would succeed
	return n.Health*n.Honesty >= least && n.ID != v.Self.ID && !r.HasVisited(n.ID)
}

// here runs it on this node if that can be, and refuses it otherwise.
func (c *choice) here(v *View, why Reason) Decision {
	if c.loss && v.Self.Deployed && !v.Self.Free {
		return Decision{Action: Refuse, Reason: ReasonFull}
	}
	return stay(v, why)
}

// any is one of the others, each as likely.
func (c *choice) any(v *View) *Neighbour {
	return &v.Neighbours[c.others[v.Rand.IntN(len(c.others))]]
}

// some moves n of the others, each as likely, to their front and returns them.
func (c *choice) some(v *View, n int) []int {
	n = min(n, len(c.others))
	for i := range n {
		j := i + v.Rand.IntN(len(c.others)-i)
		c.others[i], c.others[j] = c.others[j], c.others[i]
	}
	return c.others[:n]
}

func forwardTo(n *Neighbour, why Reason) Decision {
	return Decision{Action: Forward, Peer: n.ID, Reason: why}
}

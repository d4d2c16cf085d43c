package sched

// Weigher is a [Policy] that tells what it weighs, for those that correct its
// numbers by what they have learned. Spread is one.
type Weigher interface {
	Policy
	// Weigh is Decide, and what that was decided on.
	Weigh(v *View, r *Request) Weighing
	// Draw puts another peer into w, by the same lottery that Weigh draws by, one
	// ticket, and opens it. It tells whether there was one; who is drawn may be the same again.
	Draw(v *View, r *Request, w *Weighing) bool
	// Settle decides on the numbers of an open w as they are now.
	Settle(v *View, w *Weighing) Decision
}

// Weighing is a decision and what it was made on. Its holder may change Here,
// There and Threshold. Draw and Settle want the View and the Request of the Weigh
// that made it, before the next call of Weigh or Decide.
type Weighing struct {
	Decision Decision
	// Open tells that two places were weighed; else there was nothing to weigh, as
	// when a server is free. There, Peer and Fresh are of an open one.
	Open  bool
	Here  Prospect
	There Prospect
	// Peer is the one drawn, as its index in View.Neighbours.
	Peer int
	// Fresh is how much its report was believed: 1 just made, 0 no longer worth
	// anything.
	Fresh float64
	// Threshold is the difference in chances that decides by itself.
	Threshold float64
}

// Prospect is what an invocation may expect at one node.
type Prospect struct {
	// Chance of being on time, 1 if it has no deadline.
	Chance float64
	// Finish is until the answer is here, in seconds; +Inf if it cannot run there.
	Finish float64
}

// Weigh implements Weigher.
func (p *spread) Weigh(v *View, r *Request) Weighing {
	if r.Nested && v.Self.Deployed {
		return Weighing{Decision: Decision{Action: Run, Reason: ReasonNested}}
	}
	p.beliefs.look(v, r, p.estimates, &p.climate)
	w := Weighing{Here: p.here(v, r), Threshold: p.threshold}
	switch {
	case v.Self.Deployed && v.Self.Free && !p.fasterAway(v):
		w.Decision = Decision{Action: Run, Reason: ReasonFreeServer}
	case r.Hops >= p.hops:
		w.Decision = stay(v, ReasonHopLimit)
	case !p.Draw(v, r, &w):
		w.Decision = stay(v, ReasonOnlyHere)
	default:
		p.choose(v, r, &w)
		w.Decision = p.Settle(v, &w)
	}
	return w
}

// choose keeps the peer drawn first unless another one drawn is likelier to be on time.
func (p *spread) choose(v *View, r *Request, w *Weighing) {
	if r.Deadline <= 0 {
		return // as likely everywhere
	}
	for range p.draws - 1 {
		if b := p.beliefs.draw(v, p.water); b.neighbour != w.Peer {
			if there := p.there(v, r, b); there.Chance > w.There.Chance+p.threshold {
				w.Peer, w.Fresh, w.There = b.neighbour, b.fresh, there
			}
		}
	}
}

// Draw implements Weigher.
func (p *spread) Draw(v *View, r *Request, w *Weighing) bool {
	if r.Hops >= p.hops || len(p.beliefs.list) == 0 {
		return false
	}
	b := p.beliefs.draw(v, p.water)
	w.Open, w.Peer, w.Fresh = true, b.neighbour, b.fresh
	w.There = p.there(v, r, b)
	return true
}

package main

import "github.com/p2pfaas/p2pfaas/sched"

// zoneFirst is the whole policy. It keeps no state, so that Decide is all of it.
type zoneFirst struct{ hops int }

func newZoneFirst(s *sched.Settings) sched.Policy {
	p := &zoneFirst{}
	s.Int(&p.hops, "hops", 1, 0, 16, "forwards after which an invocation stays where it is")
	return p
}

// Decide implements sched.Policy.
func (p *zoneFirst) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if v.Self.Deployed && (v.Self.Free || r.Nested) {
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonFreeServer}
	}
	if best := p.best(v, r); best != nil && r.Hops < p.hops {
		return sched.Decision{Action: sched.Forward, Peer: best.ID, Reason: sched.ReasonLessLoaded}
	}
	if v.Self.Deployed && v.Self.Room {
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonOnlyHere}
	}
	return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}
}

func (p *zoneFirst) best(v *sched.View, r *sched.Request) (best *sched.Neighbour) {
	near := func(n *sched.Neighbour) bool { return n.Zone == v.Self.Zone }
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		if r.HasVisited(n.ID) || n.Health < 0.5 {
			continue
		}
		if best == nil || near(n) && !near(best) || near(n) == near(best) && n.Queue() < best.Queue() {
			best = n
		}
	}
	return best
}

package sched

import (
	"fmt"
	"math"
)

// spread answers soonest by what reports tell, without probes, and spreads what
// it sends away so that peers with equally old news do not all choose the same one.
// It is the default: never far from the best at any load, speed, distance or age
// of reports.
//
//  1. A free server here runs it, unless this node is so much slower (or cold)
//     that the service alone takes longer than unequal times the best peer's
//     service and the way there.
//  2. After hops forwards it stays, if there is room.
//  3. One candidate is drawn by water-filling: each peer is a vessel whose floor
//     is the expected response there and whose width is its service rate; what is
//     poured in is at least one invocation, or the share water of the forwards
//     that all peers have made unseen since they reported.
//  4. It goes there if it is expected to be answered sooner, by margin of a
//     service here at least.
//
// A peer's health and honesty weigh its width and what is expected of it; an
// invocation never goes back to a node on its way. Without the function here
// rules 1 and 4 fall away.
//
// Rule 3 is after Dahlin, "Interpreting Stale Load Information" (IEEE TPDS,
// 2000); why the peer that looks best is no good choice is in Mitzenmacher, "How
// Useful Is Old Information?" (IEEE TPDS, 2000).
type spread struct {
	hops                   int
	margin, water, unequal float64
	estimates              estimates

	outlook outlook
	vessels []vessel
}

func newSpread(s *Settings) Policy {
	p := &spread{}
	s.Int(&p.hops, "hops", 3, 0, 16, "forwards after which an invocation stays where it is")
	s.Float(&p.margin, "margin", 0.25, 0, 10, "how much sooner it must be elsewhere, in service times")
	s.Float(&p.water, "water", 0.25, 0, 10, "share of the forwards not yet reported that is counted on")
	s.Float(&p.unequal, "unequal", 1.1, 1, 100, "how much slower than the best peer a free server here may be")
	p.estimates.bind(s)
	return p
}

// Describe implements Describer.
func (p *spread) Describe() string {
	return fmt.Sprintf("spread: run here if a server is free, else where an answer is expected soonest "+
		"(hops %d, margin %v, water %v, unequal %v)", p.hops, p.margin, p.water, p.unequal)
}

// Decide implements Policy.
func (p *spread) Decide(v *View, r *Request) Decision {
	if r.Nested && v.Self.Deployed {
		return Decision{Action: Run, Reason: ReasonNested}
	}
	p.outlook.look(v, r, p.estimates)
	switch {
	case v.Self.Deployed && v.Self.Free && !p.fasterAway():
		return Decision{Action: Run, Reason: ReasonFreeServer, Score: Score{Here: p.outlook.here}}
	case r.Hops >= p.hops:
		return stay(v, ReasonHopLimit)
	case len(p.outlook.candidates) == 0:
		return stay(v, ReasonOnlyHere)
	}
	return p.compare(v, p.draw(v))
}

// fasterAway tells whether service here takes so long that even a free server
// is not reason enough to stay.
func (p *spread) fasterAway() bool {
	for i := range p.outlook.candidates {
		c := &p.outlook.candidates[i]
		if p.outlook.service+p.outlook.delay > p.unequal*c.service+c.delay {
			return true
		}
	}
	return false
}

func (p *spread) draw(v *View) *candidate {
	p.vessels = p.vessels[:0]
	for i := range p.outlook.candidates {
		p.vessels = append(p.vessels, p.outlook.candidates[i].vessel())
	}
	mass := max(1, p.water*p.outlook.unseen)
	return &p.outlook.candidates[drawWater(p.vessels, mass, v.Rand)]
}

func (p *spread) compare(v *View, c *candidate) Decision {
	here, there := p.outlook.here, c.response()
	if there+p.margin*p.outlook.service < here {
		return Decision{Action: Forward, Peer: v.Neighbours[c.neighbour].ID, Reason: whyAway(v), Score: score(here, there)}
	}
	d := Decision{Action: Run, Reason: ReasonHereSooner, Score: score(here, there)}
	if v.Self.Free {
		d.Reason = ReasonFreeServer
	}
	return d
}

// whyAway names what speaks for a peer: what this node cannot do at all, else time.
func whyAway(v *View) Reason {
	switch {
	case !v.Self.Deployed:
		return ReasonNotDeployed
	case !v.Self.Free && !v.Self.Room:
		return ReasonNoRoomHere
	}
	return ReasonThereSooner
}

// stay keeps an invocation that has nowhere else to go, and refuses it if
// there is no place for it here either.
func stay(v *View, why Reason) Decision {
	switch {
	case !v.Self.Deployed:
		return Decision{Action: Refuse, Reason: ReasonNotDeployed}
	case !v.Self.Free && !v.Self.Room:
		return Decision{Action: Refuse, Reason: ReasonFull}
	}
	return Decision{Action: Run, Reason: why}
}

// score leaves out a side that is no option.
func score(here, there float64) Score {
	if math.IsInf(here, 1) {
		here = 0
	}
	return Score{Here: here, There: there}
}

package sched

import (
	"fmt"
	"time"
)

// spreadV1 is the first form of spread, kept for comparison: it compares
// expected times only, reckons waits by counts, trusts a report until the next one, and its idle nodes ask
// only those of whom they know that work waits there.
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
//  5. A node that falls idle asks the one with the longest known queue: chase.
//  6. What can no longer be on time leaves the queue: [Queue].
//  7. Where arrivals take 95 % of the mesh or more, what is unlikely to be on
//     time here and there is refused.
//  8. Option probe: when nobody was heard half a service ago to have a free
//     server, the drawn peer and another are probed and the better is compared.
//
// A peer's health and honesty weigh its width and what is expected of it; an
// invocation never goes back to a node on its way. Without the function here
// rules 1 and 4 fall away. Spread has the sources.
type spreadV1 struct {
	hops                   int
	margin, water, unequal float64
	probe                  int
	estimates              estimates

	outlook outlook
	vessels []vessel
	probes  probed
	chase   chase
}

func newSpreadV1(s *Settings) Policy {
	p := &spreadV1{outlook: outlook{byCount: true}}
	s.Int(&p.hops, "hops", 3, 0, 16, "forwards after which an invocation stays where it is")
	s.Float(&p.margin, "margin", 0.25, 0, 10, "how much sooner it must be elsewhere, in service times")
	s.Float(&p.water, "water", 0.25, 0, 10, "share of the forwards not yet reported that is counted on")
	s.Float(&p.unequal, "unequal", 1.1, 1, 100, "how much slower than the best peer a free server here may be")
	s.Int(&p.probe, "probe", 0, 0, maxProbes, "peers probed when no fresh report promises a free server")
	p.estimates.bind(s)
	return p
}

// Describe implements Describer.
func (p *spreadV1) Describe() string {
	return fmt.Sprintf("spread-v1: run here if a server is free, else where an answer is expected soonest "+
		"(hops %d, margin %v, water %v, unequal %v, probe %d)", p.hops, p.margin, p.water, p.unequal, p.probe)
}

// Order implements Orderer.
func (p *spreadV1) Order() Order { return OrderFIFO }

// Decide implements Policy.
func (p *spreadV1) Decide(v *View, r *Request) Decision {
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
	case p.probe > 0 && r.Round > 0:
		return p.compare(v, r, p.bestProbed(v, r))
	}
	drawn := p.draw(v)
	if p.probe > 0 && !p.promised(v) {
		return p.ask(v, drawn)
	}
	return p.compare(v, r, drawn)
}

// fasterAway tells whether service here takes so long that even a free server
// is not reason enough to stay.
func (p *spreadV1) fasterAway() bool {
	for i := range p.outlook.candidates {
		c := &p.outlook.candidates[i]
		if p.outlook.service+p.outlook.delay > p.unequal*c.service+c.delay {
			return true
		}
	}
	return false
}

func (p *spreadV1) draw(v *View) *candidate {
	p.vessels = p.vessels[:0]
	for i := range p.outlook.candidates {
		p.vessels = append(p.vessels, p.outlook.candidates[i].vessel())
	}
	mass := max(1, p.water*p.outlook.unseen)
	return &p.outlook.candidates[drawWater(p.vessels, mass, v.Rand)]
}

func (p *spreadV1) compare(v *View, r *Request, c *candidate) Decision {
	here, there := p.outlook.here, c.response()
	switch {
	case p.hopeless(v, r, c):
		return Decision{Action: Refuse, Reason: ReasonHopeless, Score: score(here, there)}
	case there+p.margin*p.outlook.service < here:
		return Decision{Action: Forward, Peer: v.Neighbours[c.neighbour].ID, Reason: whyAway(v), Score: score(here, there)}
	}
	d := Decision{Action: Run, Reason: ReasonHereSooner, Score: score(here, there)}
	if v.Self.Free {
		d.Reason = ReasonFreeServer
	}
	return d
}

// overload is the utilisation from which on some must be refused.
const overload = 0.95

// hopeless tells whether the mesh is so busy that it must refuse some, and this
// one should be among them.
func (p *spreadV1) hopeless(v *View, r *Request, c *candidate) bool {
	if r.Deadline <= 0 || v.MeshUtilisation < overload || v.Self.Free {
		return false
	}
	least := min(0.65, max(0.5, 0.5+3*(v.MeshUtilisation-1)))
	left, spread := r.Deadline.Seconds(), v.Self.Service.Spread
	here := lawOf(p.outlook.service, spread).after(p.outlook.here-p.outlook.service, left)
	there := lawOf(c.service, spread).after(max(0, c.wait), left-c.delay)
	return max(here, there*c.trust) < least
}

// Idle implements Puller.
func (p *spreadV1) Idle(v *View) (ask Pull, again time.Duration, ok bool) {
	return p.chase.idle(v, p.estimates)
}

// Pulled implements Puller.
func (p *spreadV1) Pulled(e PullEnd) { p.chase.ended(e) }

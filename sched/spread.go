package sched

import (
	"fmt"
	"math"
	"time"
)

// spread answers soonest by what reports tell, without probes, and has idle
// nodes fetch what waits elsewhere. It is the default: never far from the best at
// any load, speed, distance or age of reports.
//
//  1. A node's own W, the seconds until a newcomer would start, rides with its
//     counts on every message: [Busy], [Load].
//  2. So do the freshest reports that it knows of others: the driver's part.
//  3. What was sent to a peer counts there until its report knows of it: sentWait.
//  4. A report ages: the wait runs off, and within a few services what it said
//     is worth no more than the mesh's average: [belief], [climate].
//  5. A free server here runs an invocation, unless this node is so much slower
//     (or cold) that the service alone takes longer than unequal times the best
//     peer's and the way there. Else a peer is drawn by water-filling: each is a
//     vessel whose floor is the expected response there and whose width is its service rate;
//     what is poured in is at least one invocation, or the share water of the forwards
//     that all peers have made unseen since they reported. Up to draws are drawn, and the
//     first is kept unless it is likelier to be on time with another, by threshold: tight
//     deadlines want a choice, but taking what looks best has nodes with the same
//     news meet. It goes there if it is more likely to be on time than here, by threshold;
//     if neither place is likelier, it goes where it is expected to be answered
//     sooner, by finish of a service. After hops forwards it stays.
//  6. The queue leaves aside what cannot all be on time: [OrderMooreHodgson].
//  7. A node that falls idle asks for work: seek.
//  8. It may spend budget messages on that for each invocation that it served:
//     allowance.
//
// A peer's health and honesty weigh its width and what is expected of it; an
// invocation never goes back to a node on its way. What may not run here, or has
// no room, goes to the peer drawn. An invocation without a deadline goes where it
// is answered sooner.
//
// Rule 5's draw is after Dahlin, "Interpreting Stale Load Information" (IEEE TPDS,
// 2000); why the peer that looks best is no good choice is in Mitzenmacher, "How
// Useful Is Old Information?" (IEEE TPDS, 2000). Rule 7 is after Eager, Lazowska, Zahorjan,
// "A comparison of receiver-initiated and sender-initiated adaptive load sharing"
// (Performance Evaluation 6, 1986).
type spread struct {
	hops, draws                       int
	threshold, finish, water, unequal float64
	order                             string
	estimates                         estimates

	climate climate
	beliefs beliefs
	seeker  seeker
}

func newSpread(s *Settings) Policy {
	p := &spread{}
	s.Int(&p.hops, "hops", 3, 0, 16, "forwards after which an invocation stays where it is")
	s.Int(&p.draws, "draws", 2, 1, 16, "peers drawn for the choice of one")
	s.Float(&p.threshold, "threshold", 0.2, 0, 1, "difference in the chances of being on time that decides by itself")
	s.Float(&p.finish, "finish", 0.25, 0, 10, "how much sooner it must be elsewhere if the chances are alike, in service times")
	s.Float(&p.water, "water", 0.5, 0, 10, "share of the forwards not yet reported that is counted on")
	s.Float(&p.unequal, "unequal", 1.1, 1, 100, "how much slower than the best peer a free server here may be")
	s.Choice(&p.order, "order", []string{OrderMooreHodgson.String(), OrderDeadline.String(), OrderFIFO.String()},
		"who of the waiting is served first")
	p.estimates.bind(s)
	p.seeker.bind(s)
	return p
}

// Describe implements Describer.
func (p *spread) Describe() string {
	return fmt.Sprintf("spread: run here if a server is free, else where it is most likely on time, else soonest "+
		"(hops %d, draws %d, threshold %v, finish %v, water %v, unequal %v, order %s, budget %v)",
		p.hops, p.draws, p.threshold, p.finish, p.water, p.unequal, p.order, p.seeker.allowance.earns)
}

// Order implements Orderer.
func (p *spread) Order() Order {
	o, _ := ParseOrder(p.order) // one of the words that it accepts
	return o
}

// Report implements Notified.
func (p *spread) Report(n News) { p.climate.hear(n) }

// Decide implements Policy.
func (p *spread) Decide(v *View, r *Request) Decision { return p.Weigh(v, r).Decision }

// fasterAway tells whether service here takes so long that even a free server
// is not reason enough to stay.
func (p *spread) fasterAway(v *View) bool {
	service := p.service(v) + coldStart(v.Self.Warm, v.Self.Cold)
	for i := range p.beliefs.list {
		if b := &p.beliefs.list[i]; service > p.unequal*b.service+b.delay {
			return true
		}
	}
	return false
}

// service is how long the invocation would run here.
func (p *spread) service(v *View) float64 {
	return p.beliefs.pace.service(v.Self.Service, v.Self.Load.Speed)
}

// here counts only that waiting work which goes before.
func (p *spread) here(v *View, r *Request) Prospect {
	if !v.Self.Deployed || !v.Self.Free && !v.Self.Room {
		return never()
	}
	l := lawOf(p.service(v), v.Self.Service.Spread)
	wait := 0.0
	if !v.Self.Free {
		wait = seconds(v.Self.Residual + ahead(&v.Self, v.Now, deadline(v, r)))
	}
	cold := coldStart(v.Self.Warm, v.Self.Cold)
	here := Prospect{Chance: 1, Finish: wait + l.mean + cold}
	if r.Deadline > 0 {
		here.Chance = l.after(wait, r.Deadline.Seconds()-cold)
	}
	return here
}

// there reckons that the law of this function is the same everywhere but for
// its mean.
func (p *spread) there(v *View, r *Request, b *belief) Prospect {
	there := Prospect{Chance: 1, Finish: b.finish()}
	if r.Deadline > 0 {
		l := lawOf(b.service, spreadOf(&v.Self.Service, &v.Neighbours[b.neighbour].Service))
		there.Chance = b.trust * p.climate.chance(b, l, r.Deadline.Seconds()-b.delay)
	}
	return there
}

// Settle implements Weigher.
func (p *spread) Settle(v *View, w *Weighing) Decision {
	here, there := w.Here, w.There
	chances := Score{Here: here.Chance, There: there.Chance}
	away := Decision{Action: Forward, Peer: v.Neighbours[w.Peer].ID, Reason: ReasonLikelierThere, Score: chances}
	switch gain := there.Chance - here.Chance; {
	case math.IsInf(here.Finish, 1):
		away.Reason, away.Score = whyAway(v), Score{There: there.Finish}
		return away
	case gain > w.Threshold:
		return away
	case gain < -w.Threshold:
		return Decision{Action: Run, Reason: ReasonLikelierHere, Score: chances}
	case there.Finish+p.finish*p.service(v) < here.Finish:
		away.Reason, away.Score = ReasonThereSooner, Score{here.Finish, there.Finish}
		return away
	}
	d := Decision{Action: Run, Reason: ReasonHereSooner, Score: Score{here.Finish, there.Finish}}
	if v.Self.Free {
		d.Reason = ReasonFreeServer
	}
	return d
}

// deadline is the request's on the view's clock, 0 for none.
func deadline(v *View, r *Request) time.Duration {
	if r.Deadline <= 0 {
		return 0
	}
	return v.Now + r.Deadline
}

// ahead is how long the servers here need for what goes before a newcomer of
// that deadline.
func ahead(s *Self, now, deadline time.Duration) time.Duration {
	if s.Line == nil {
		return max(0, s.Load.Wait-s.Residual)
	}
	return s.Line.Ahead(now, deadline) / time.Duration(max(1, s.Load.Servers))
}

// spreadOf is the spread of a function's service, measured here or there.
func spreadOf(here, there *Service) float64 {
	if there.Mean > 0 {
		return there.Spread
	}
	if here.Mean > 0 {
		return here.Spread
	}
	return 1
}

package sim

import (
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// maxAttempts bounds how often one node tries to get one invocation answered.
const maxAttempts = 6

// admit has an invocation enter at a node.
func (w *world) admit(at time.Duration, nodeNumber, class int32, body int64, demand float64) {
	n := &w.nodes[nodeNumber]
	if w.isPool {
		n = &w.nodes[0]
	}
	i := w.legs.claim()
	g := w.legs.at(i)
	g.node, g.origin, g.class, g.body, g.demand = n.number, nodeNumber, class, body, demand
	g.began, g.received = at, at
	if d := w.classes[class].Deadline; d > 0 {
		g.due = at + d
		g.deadline = g.due
	}
	g.counted = at >= w.sc.Warmup
	if g.counted {
		w.open++
	}
	if n.dead {
		w.settle(i, lost)
		return
	}
	n.arrivals.tick(at)
	w.prepare(g)
	w.decide(i)
}

// prepare fills in what a policy may know of the invocation at this node.
func (w *world) prepare(g *leg) {
	c := &w.classes[g.class]
	r := &g.asked
	r.Function, r.BodySize, r.Weight, r.Idempotent, r.TaskType = c.Function, g.body, 1, true, float64(g.class)
}

// left is the time until the deadline, 0 for none: what is late has the least.
func (g *leg) left(now time.Duration) time.Duration {
	if g.deadline == 0 {
		return 0
	}
	return max(1, g.deadline-now)
}

// decide asks the policy what to do with a leg, and does it.
func (w *world) decide(i int32) {
	g := w.legs.at(i)
	n := &w.nodes[g.node]
	if g.deadline > 0 && w.now > g.deadline && !n.queue.Config().KeepLate {
		w.finish(i, expired)
		return
	}
	if g.asked.Round >= sched.MaxRounds {
		g.last = sched.Decision{Action: sched.Run, Reason: sched.ReasonMaxRounds}
		if g.awayOnly {
			g.last.Action = sched.Refuse
		}
	} else {
		g.asked.Deadline, g.asked.Token = g.left(w.now), g.last.Token
		w.expire(n)
		w.fill(n, g)
		began := w.clock()
		g.last = n.policy.Decide(&w.view, &g.asked)
		w.tally.decided(w.clock() - began)
	}
	w.act(i)
}

func (w *world) clock() time.Duration {
	if w.opt.Clock == nil {
		return 0
	}
	return w.opt.Clock()
}

// fill is what the node knows at this moment, for this leg.
func (w *world) fill(n *node, g *leg) {
	v := &w.view
	v.Now, v.Rand = w.now, n.rand
	v.Self = w.self(n)
	v.OwnRate, v.MeshUtilisation = v.Self.Load.Rate, 0
	v.Self.Deployed = !g.awayOnly
	v.Self.Service = n.services[g.class].get(n.rel)
	v.Neighbours = n.table.Candidates(w.now, w.maxAge())
}

// self is all of it that does not depend on the function.
func (w *world) self(n *node) sched.Self {
	s := sched.Self{ID: n.id, Zone: n.zone, Load: n.load(w.now), Free: n.free(), Residual: n.residual(w.now),
		Line: n.queue, Warm: true, Mix: n.mix.Service()}
	if n.sinkhole {
		s.Free = false
		return s
	}
	s.Room = n.queue.Len() < n.room
	return s
}

// maxAge is the age of a report beyond which its node is no candidate. Where
// nobody gossips, silence says nothing.
func (w *world) maxAge() time.Duration {
	if w.sc.Gossip == 0 {
		return forever
	}
	return max(10*time.Second, 3*w.sc.Gossip)
}

// act does what was decided.
func (w *world) act(i int32) {
	g := w.legs.at(i)
	if g.last.ProbesFor == sched.ProbesForLater {
		w.probeForLater(g)
	}
	switch g.last.Action {
	case sched.Probe:
		w.probe(i)
	case sched.Wait:
		g.state = pausing
		w.agenda.add(event{at: w.now + max(0, g.last.Delay), kind: wakeUp, arg: i, birth: g.birth})
	case sched.Ask: // nobody is there to answer
		g.asked.Round++
		w.decide(i)
	case sched.Run:
		g.attempts++
		w.acquire(i)
	case sched.Forward:
		g.attempts++
		w.forward(i)
	default:
		w.finish(i, refused)
	}
}

// wake asks again after a Wait.
func (w *world) wake(i int32, birth uint32) {
	if g := w.legs.live(i, birth); g != nil && g.state == pausing {
		g.asked.Round++
		w.decide(i)
	}
}

// again makes another attempt, after one that came to nothing, or gives up.
func (w *world) again(i int32) {
	g := w.legs.at(i)
	if g.attempts >= maxAttempts {
		w.finish(i, refused)
		return
	}
	if g.last.Action == sched.Run {
		g.awayOnly = true
	}
	g.asked.Round, g.asked.Probed = 0, g.asked.Probed[:0]
	w.decide(i)
}

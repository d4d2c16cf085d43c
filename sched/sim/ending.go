package sim

import "github.com/p2pfaas/p2pfaas/sched"

// ending is how a leg has ended.
type ending uint8

const (
	answered ending = iota
	refused
	expired
	lost
)

var results = [...]sched.Result{sched.Answered, sched.Refused, sched.Expired, sched.Failed}

// finish ends a leg: its node tells the previous hop, or the client.
func (w *world) finish(i int32, how ending) {
	g := w.legs.at(i)
	w.observe(g, how)
	if g.prev == none {
		w.settle(i, how)
		return
	}
	n := &w.nodes[g.node]
	m := w.mail.claim()
	p := w.mail.at(m)
	p.kind, p.ending = reply, how
	p.leg, p.birth = g.prev, g.prevBirth
	p.forwards, p.waited, p.service, p.executor = g.forwards, g.waited, g.service, g.executor
	to := w.legs.list[g.prev].node
	w.legs.release(i)
	w.post(m, n, to)
}

// observe tells the policy of the node that decided on the leg.
func (w *world) observe(g *leg, how ending) {
	n := &w.nodes[g.node]
	if n.observer == nil || g.undecided {
		return
	}
	n.observer.Observe(sched.Outcome{
		Request: g.asked, Decision: g.last, Result: results[how],
		OnTime:   how == answered && (g.deadline == 0 || w.now <= g.deadline),
		Response: w.now - g.received, Queue: g.waited, Service: g.service,
	})
}

// settle ends an invocation: its client knows.
func (w *world) settle(i int32, how ending) {
	g := w.legs.at(i)
	w.tally.settled(w.onTime(g, how))
	if g.counted {
		w.open--
		w.tally.ended(w, g, how)
	}
	w.legs.release(i)
}

// replied takes in what the next hop answered.
func (w *world) replied(p *message) {
	i := p.leg
	g := w.legs.live(i, p.birth)
	if g == nil || g.state != forwarded || g.to != p.from {
		return
	}
	n := &w.nodes[g.node]
	w.returned(n, g)
	g.state = deciding
	place := n.place(p.from)
	if p.ending == refused {
		if place >= 0 {
			n.table.Refused(place, g.promise, w.now)
		}
		g.asked.Visited = append(g.asked.Visited, w.nodes[p.from].id)
		w.again(i)
		return
	}
	if place >= 0 {
		n.table.Answered(place)
	}
	g.forwards, g.waited, g.service, g.executor = p.forwards, p.waited, p.service, p.executor
	w.finish(i, p.ending)
}

// returned takes back what was counted as sent.
func (w *world) returned(n *node, g *leg) {
	if place := n.place(g.to); place >= 0 {
		n.table.Ended(place, g.sent)
	}
	g.to = none
}

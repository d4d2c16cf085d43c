package sim

import (
	"time"
)

// forward sends a leg on to the peer that was decided for.
func (w *world) forward(i int32) {
	g := w.legs.at(i)
	n, to := &w.nodes[g.node], &w.nodes[number(g.last.Peer)]
	way := w.delay(n, to)
	if place := n.place(to.number); place >= 0 {
		g.promise = n.table.Promise(place, w.now)
		g.sent = n.table.Send(place, w.now+way, w.workThere(n, g, place))
	}
	n.forwards.tick(w.now)
	g.state, g.to = forwarded, to.number
	g.forwards++
	w.hand(i, to)
}

// hand puts a leg into a message to another node.
func (w *world) hand(i int32, to *node) {
	g := w.legs.at(i)
	n := &w.nodes[g.node]
	m := w.mail.claim()
	p := w.mail.at(m)
	p.kind, p.leg, p.birth = hop, i, g.birth
	to.inbound++
	w.post(m, n, to.number)
}

// workThere is how long it is expected to run at a neighbour.
func (w *world) workThere(n *node, g *leg, place int) time.Duration {
	rel := n.table.At(place).Load.Speed
	return time.Duration(w.laws[g.class].mean * rel)
}

// received begins the leg of the node to which another was forwarded.
func (w *world) received(p *message) {
	before := w.legs.live(p.leg, p.birth)
	if before == nil || before.state != forwarded || before.to != p.to {
		return // its node has died, or given up
	}
	w.tally.received(w, p.to)
	i := w.legs.claim()
	g, before := w.legs.at(i), w.legs.at(p.leg)
	n, from := &w.nodes[p.to], &w.nodes[p.from]
	g.ref = ref{prev: p.leg, prevBirth: p.birth}
	g.node, g.origin, g.class, g.body, g.demand = p.to, before.origin, before.class, before.body, before.demand
	g.began, g.due, g.received, g.forwards = before.began, before.due, w.now, before.forwards
	if before.deadline > 0 {
		g.deadline = before.deadline - w.delay(n, from)
	}
	w.prepare(g)
	g.asked.Hops = before.asked.Hops + 1
	g.asked.Visited = append(append(g.asked.Visited, before.asked.Visited...), from.id)
	if p.handed && n.free() {
		g.undecided = true
		w.start(i)
		return
	}
	w.decide(i)
}

// undelivered is called when a message reaches a dead node.
func (w *world) undelivered(p *message) {
	from, to := &w.nodes[p.from], &w.nodes[p.to]
	switch p.kind {
	case hop:
		sent := w.now - w.delay(from, to)
		w.agenda.add(event{at: max(w.now, sent+w.grace(from, to)), kind: silence, node: p.to, arg: p.leg, birth: p.birth})
	case ask:
		w.askLost(p)
	}
}

// silent has a node give up on the next hop.
func (w *world) silent(i int32, birth uint32, to int32) {
	g := w.legs.live(i, birth)
	if g == nil || g.state != forwarded || g.to != to {
		return
	}
	n := &w.nodes[g.node]
	if place := n.place(g.to); place >= 0 {
		n.table.Failed(place, w.now)
	}
	g.asked.Visited = append(g.asked.Visited, w.nodes[g.to].id)
	w.returned(n, g)
	g.state = deciding
	w.again(i)
}

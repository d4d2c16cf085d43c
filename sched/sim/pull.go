package sim

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// pull is an ask for work on its way.
type pull struct {
	asker    int32
	seq      uint32 // of the asker's asks
	passes   int
	notice   bool
	messages int
	asked    []peer.ID
}

// idle asks for work if the policy wants to.
func (w *world) idle(n *node) {
	if n.asking || n.dead || !n.free() {
		return
	}
	w.fillAll(n)
	ask, again, ok := n.puller.Idle(&w.view)
	n.idleBirth++
	switch {
	case ok:
		w.ask(n, ask)
	case again > 0:
		w.agenda.add(event{at: w.now + again, kind: idleTick, node: n.number, birth: n.idleBirth})
	}
}

func (w *world) idleDue(n *node, birth uint32) {
	if birth == n.idleBirth {
		w.idle(n)
	}
}

// fillAll is a view for no function in particular.
func (w *world) fillAll(n *node) {
	v := &w.view
	v.Now, v.Rand = w.now, n.rand
	v.Self = w.self(n)
	v.OwnRate, v.MeshUtilisation = v.Self.Load.Rate, 0
	v.Self.Deployed, v.Self.Service = true, v.Self.Mix
	v.Neighbours = n.table.Candidates(w.now, w.maxAge())
}

func (w *world) ask(n *node, a sched.Pull) {
	n.asking = true
	n.askSeq++
	to := number(a.Peer)
	m := w.mail.claim()
	p := w.mail.at(m)
	p.kind = ask
	p.pull = pull{asker: n.number, seq: n.askSeq, passes: a.Passes, notice: a.Notice, messages: 1, asked: p.pull.asked[:0]}
	w.tally.pulls(w, 1)
	w.post(m, n, to)
}

// asked is what a node does that is asked for work.
func (w *world) asked(n *node, p *message) {
	if !p.pull.notice && w.handOver(n, p) {
		return
	}
	w.fillAll(n)
	to, ok := n.puller.Pass(&w.view, sched.Pull{
		Peer: n.id, From: w.nodes[p.pull.asker].id, Passes: p.pull.passes, Notice: p.pull.notice, Asked: p.pull.asked,
	})
	if ok && p.pull.passes > 0 && !p.pull.notice {
		w.passOn(n, p, number(to))
		return
	}
	w.sayNo(n, p)
}

func (w *world) passOn(n *node, p *message, to int32) {
	m := w.mail.claim()
	next := w.mail.at(m)
	next.kind = ask
	w.copyPull(next, p)
	next.pull.passes--
	next.pull.asked = append(next.pull.asked, n.id)
	w.post(m, n, to)
}

// copyPull carries an ask on, in one more message.
func (w *world) copyPull(to, from *message) {
	asked := append(to.pull.asked[:0], from.pull.asked...)
	to.pull = from.pull
	to.pull.asked = asked
	to.pull.messages++
	w.tally.pulls(w, 1)
}

func (w *world) sayNo(n *node, p *message) {
	m := w.mail.claim()
	answer := w.mail.at(m)
	answer.kind = no
	w.copyPull(answer, p)
	w.post(m, n, p.pull.asker)
}

// handOver gives the asker something that waits here, if anything fits.
func (w *world) handOver(n *node, p *message) bool {
	w.expire(n)
	asker := &w.nodes[p.pull.asker]
	i, ok := n.queue.Give(w.now, func(i int32, e *sched.Entry) (sched.Offer, bool) { return w.offer(n, asker, i) })
	if !ok {
		return false
	}
	g := w.legs.at(i)
	g.last = sched.Decision{Action: sched.Forward, Peer: asker.id, Token: g.last.Token}
	way := w.delay(n, asker)
	if place := n.place(asker.number); place >= 0 {
		g.promise = sched.Promise{}
		g.sent = n.table.Send(place, w.now+way, w.workThere(n, g, place))
	}
	g.state, g.to = forwarded, asker.number
	g.forwards++
	m := w.mail.claim()
	h := w.mail.at(m)
	h.kind, h.leg, h.birth, h.handed = hop, i, g.birth, true
	h.pull = pull{asker: p.pull.asker, seq: p.pull.seq, messages: p.pull.messages, asked: h.pull.asked[:0]}
	asker.inbound++
	w.post(m, n, asker.number)
	return true
}

// offer is what a leg that waits at n may expect at the asker.
func (w *world) offer(n, asker *node, i int32) (sched.Offer, bool) {
	g := w.legs.at(i)
	if g.hasVisited(asker.id) {
		return sched.Offer{}, false
	}
	way := w.delay(n, asker)
	rel := n.rel
	if place := n.place(asker.number); place >= 0 {
		rel = n.table.At(place).Load.Speed
	}
	s := n.services[g.class].get(rel)
	return sched.Offer{Start: way, Mean: s.Mean + way, Fast: s.P10 + way}, true
}

func (g *leg) hasVisited(id peer.ID) bool { return g.asked.HasVisited(id) }

// pulled has a hand-over arrive at who asked.
func (w *world) pulled(n *node, p *message) {
	w.pullEnded(n, p, sched.PullEnd{Peer: w.nodes[p.from].id, OK: true})
}

// denied has a no arrive.
func (w *world) denied(n *node, p *message) {
	if w.pullEnded(n, p, sched.PullEnd{Peer: w.nodes[p.from].id}) {
		w.idle(n)
	}
}

func (w *world) pullEnded(n *node, p *message, e sched.PullEnd) bool {
	if !n.asking || p.pull.seq != n.askSeq || n.puller == nil {
		return false
	}
	n.asking = false
	e.Now, e.Messages = w.now, p.pull.messages
	n.puller.Pulled(e)
	return true
}

// askLost has the asker give up, as an ask came to a dead node.
func (w *world) askLost(p *message) {
	asker, to := &w.nodes[p.pull.asker], &w.nodes[p.to]
	m := w.mail.claim()
	answer := w.mail.at(m)
	answer.kind, answer.from, answer.to = no, p.to, asker.number
	messages := p.pull.messages
	asked := append(answer.pull.asked[:0], p.pull.asked...)
	answer.pull = p.pull
	answer.pull.messages, answer.pull.asked = messages, asked
	w.agenda.add(event{at: w.now + w.grace(asker, to), kind: delivery, arg: m})
}

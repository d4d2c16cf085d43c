package sim

import (
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// message is on its way from one node to another.
type message struct {
	kind     messageKind
	from, to int32

	// hop and reply: the leg at the earlier node. probe, probeAnswer: the leg
	// that wants to know, if any.
	leg   int32
	birth uint32

	handed   bool // hop: handed over to who asked for work
	ending   ending
	forwards int
	waited   time.Duration
	service  time.Duration
	executor int32

	pull pull // ask, no and hop if handed

	news  [1 + passedOn]entry // the sender's report first
	count int
}

type messageKind uint8

const (
	hop         messageKind = iota // an invocation goes on
	reply                          // how it has ended
	probe                          // how is your load?
	probeAnswer                    // so
	ask                            // have you work for me?
	no                             // nobody has
)

// entry is a report in a message.
type entry struct {
	of      int32
	load    sched.Load
	sampled time.Duration
}

// passedOn is how many third-party entries ride on a message, worthPassing up
// to what age.
const (
	passedOn     = 8
	worthPassing = 10 * time.Second
)

// mail is the memory of all messages.
type mail struct {
	list   []*message
	unused []int32
	told   []sched.Told
}

func (m *mail) at(i int32) *message { return m.list[i] }

func (m *mail) claim() int32 {
	if n := len(m.unused); n > 0 {
		i := m.unused[n-1]
		m.unused = m.unused[:n-1]
		p := m.list[i]
		p.handed, p.leg, p.birth, p.count = false, none, 0, 0
		return i
	}
	m.list = append(m.list, &message{leg: none})
	return int32(len(m.list) - 1)
}

func (m *mail) release(i int32) { m.unused = append(m.unused, i) }

// post sends a message off, with what its sender knows.
func (w *world) post(m int32, from *node, to int32) {
	p := w.mail.at(m)
	p.from, p.to = from.number, to
	if !w.blind && (!w.sc.Plain || p.kind == probeAnswer) {
		w.inform(p, from)
	}
	w.agenda.add(event{at: w.now + w.delay(from, &w.nodes[to]), kind: delivery, arg: m})
}

// inform puts the reports on a message.
func (w *world) inform(p *message, from *node) {
	p.news[0] = entry{of: from.number, load: from.load(w.now), sampled: w.now}
	if p.count = 1; w.sc.Plain {
		return
	}
	w.mail.told = from.table.Freshest(w.mail.told[:0], passedOn, w.now-worthPassing, from.place(p.to))
	for i := range w.mail.told {
		t := &w.mail.told[i]
		p.news[p.count] = entry{of: from.view[t.Place], load: t.Load, sampled: t.Sampled}
		p.count++
	}
}

// deliver has a message arrive.
func (w *world) deliver(m int32) {
	p := w.mail.at(m)
	if p.kind == hop {
		w.nodes[p.to].inbound--
	}
	if to := &w.nodes[p.to]; to.dead {
		w.undelivered(p)
	} else {
		w.hear(to, p)
		w.heed(to, p)
	}
	w.mail.release(m)
}

// heed acts on a message; it may not be kept.
func (w *world) heed(to *node, p *message) {
	switch p.kind {
	case hop:
		if p.handed {
			w.pulled(to, p)
		}
		w.received(p)
		if p.handed {
			w.idle(to)
		}
	case reply:
		w.replied(p)
	case probe:
		w.probed(to, p)
	case probeAnswer:
		w.probeAnswered(p)
	case ask:
		w.asked(to, p)
	case no:
		w.denied(to, p)
	}
}

// hear takes in the reports of a message.
func (w *world) hear(to *node, p *message) {
	for i := range p.count {
		e := &p.news[i]
		via := sched.ViaThird
		if i == 0 {
			via = sched.ViaMessage
		}
		w.tell(to, e.of, &e.load, e.sampled, via)
	}
}

// tell has a node learn of another's load.
func (w *world) tell(to *node, of int32, l *sched.Load, sampled time.Duration, via sched.Via) {
	if of == to.number {
		return
	}
	if place := to.place(of); place >= 0 {
		to.table.Hear(place, l, sampled)
	}
	if to.notified != nil {
		to.notified.Report(sched.News{Of: w.nodes[of].id, Load: *l, Sampled: sampled, Now: w.now, Via: via})
	}
}

package mesh

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

const (
	// othersLife is how long a choice of third-party entries serves.
	othersLife = 10 * time.Millisecond
	// othersAge is the age beyond which an entry is not worth its bytes.
	othersAge = 10 * time.Second
)

// Source is this node's own news, for every message that carries some.
func (m *Mesh) Source() load.Source { return source{m} }

type source struct{ m *Mesh }

// Fill implements load.Source.
func (s source) Fill(n *load.News) {
	n.Has = true
	s.m.report(&n.Sender)
	n.Others = s.m.others.fill(n.Others[:0], s.m)
}

// Report is this node's own, as of now; each has a higher counter.
func (m *Mesh) Report() load.Report {
	var r load.Report
	m.report(&r)
	return r
}

func (m *Mesh) report(r *load.Report) {
	l := m.cfg.Self()
	*r = load.Report{
		Incarnation: m.cfg.Incarnation, Counter: m.counter.Add(1),
		Wait: l.Wait, Running: l.Running, Queued: l.Queued, Servers: l.Servers,
		Speed: l.Speed, Rate: l.Rate, Out: l.Out,
		Functions: m.ownDigest.Load(),
		Draining:  m.leaving.Load() || m.cfg.Draining(),
	}
}

// others are the freshest reports of neighbours, chosen anew now and then.
type others struct {
	mu      sync.Mutex // guards the fields below
	valid   bool
	chosen  time.Duration // when
	count   int
	entries [load.MaxEntries]load.Entry
	sampled [load.MaxEntries]time.Duration
}

func (o *others) fill(dst []load.Entry, m *Mesh) []load.Entry {
	now := m.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.valid || now-o.chosen > othersLife {
		m.mu.RLock()
		o.choose(m.table.view, now)
		m.mu.RUnlock()
	}
	for i := range o.count {
		dst = append(dst, o.entries[i])
		dst[i].Report.Age = max(0, now-o.sampled[i])
	}
	return dst
}

func (o *others) choose(view []*neighbour, now time.Duration) {
	o.valid, o.chosen, o.count = true, now, 0
	for _, n := range view {
		if n.known() && now-n.sampled <= othersAge {
			o.insert(n)
		}
	}
}

// insert keeps entries sorted, the freshest first.
func (o *others) insert(n *neighbour) {
	if o.count == len(o.entries) {
		if n.sampled <= o.sampled[o.count-1] {
			return
		}
		o.count--
	}
	at := o.count
	for ; at > 0 && o.sampled[at-1] < n.sampled; at-- {
		o.entries[at], o.sampled[at] = o.entries[at-1], o.sampled[at-1]
	}
	o.entries[at], o.sampled[at] = load.Entry{Peer: n.key, Report: n.report}, n.sampled
	o.count++
}

// Hear takes the news that came with a message from a peer; it implements
// load.Sink. Who is no member is not heard.
func (m *Mesh) Hear(from peer.ID, news *load.News) {
	now := m.now()
	m.mu.Lock()
	n := m.table.members[from]
	if n == nil {
		m.mu.Unlock()
		return
	}
	fresh := news.Has && n.hear(&news.Sender, sampledAt(now, n, &news.Sender))
	if n.honesty >= trusted {
		for i := range news.Others {
			m.table.hearsay(now, n, &news.Others[i])
		}
	}
	m.mu.Unlock()
	if fresh {
		m.heard(n, sched.ViaMessage)
	}
}

// hearsay takes what by says of somebody else.
func (t *table) hearsay(now time.Duration, by *neighbour, e *load.Entry) {
	if n := t.byKey[e.Peer]; n != nil && n != by && n.inView {
		n.hearsay(&e.Report, sampledAt(now, by, &e.Report))
	}
}

// sampledAt is when a report was true that by told us now.
func sampledAt(now time.Duration, by *neighbour, r *load.Report) time.Duration {
	return now - between(r.Age, 0, mostAge) - by.rtt.oneWay()
}

// hearTopic takes a report of a node's own that came by way of others. How long
// it took is not known: less than a direct message it cannot be.
func (m *Mesh) hearTopic(from peer.ID, r *load.Report) {
	now := m.now()
	m.mu.Lock()
	n := m.table.members[from]
	if n == nil {
		m.mu.Unlock()
		return
	}
	n.gossip(now)
	fresh := n.hear(r, sampledAt(now, n, r))
	m.mu.Unlock()
	if fresh {
		m.heard(n, sched.ViaGossip)
	}
}

// heard follows a neighbour's own new report. The caller holds no lock.
func (m *Mesh) heard(n *neighbour, via sched.Via) {
	m.mu.RLock()
	news := sched.News{Of: n.id, Load: n.load, Sampled: n.sampled, Now: m.now(), Via: via}
	stale, inView := n.functionsStale(), n.inView
	m.mu.RUnlock()
	if stale {
		m.wakeKeeper()
	}
	if m.cfg.Heard != nil && inView {
		m.cfg.Heard(news)
	}
}

// IsMember tells whether p has been let into the mesh, and not as a client only.
func (m *Mesh) IsMember(p peer.ID) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.table.members[p] != nil
}

package mesh

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Fill returns the neighbours that could run the function now, sorted by ID, in
// dst's memory (it begins at dst[:0]): those that run the version fp, or any if
// fp is zero, were heard lately, do not drain and did not fail a moment ago.
// function is name[.namespace] as faas.Name.String writes it.
func (m *Mesh) Fill(dst []sched.Neighbour, function string, fp [8]byte) []sched.Neighbour {
	now, limit := m.now(), m.fresh()
	dst = dst[:0]
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, o := range m.table.index[function] {
		if o.runs(fp) && o.by.candidate(now, limit) && !o.by.paused(function, now) {
			dst = o.by.appendTo(dst, o.f, function)
		}
	}
	if len(dst) > 0 {
		return dst
	}
	for _, o := range m.table.index[function] { // better who disappointed a moment ago than nobody
		if o.runs(fp) && o.by.lives(now, limit) && o.by.fallback(now) {
			dst = o.by.appendTo(dst, o.f, function)
		}
	}
	return dst
}

// runs tells whether it is offered to others in the version fp, any if that is zero.
func (o *offer) runs(fp [8]byte) bool {
	return !o.f.KeptHome && (fp == [8]byte{} || fp == o.f.Fingerprint)
}

// appendTo describes n in the memory behind dst, if there is some: what is there
// is overwritten whole.
func (n *neighbour) appendTo(dst []sched.Neighbour, f *Function, function string) []sched.Neighbour {
	if len(dst) == cap(dst) {
		dst = append(dst, sched.Neighbour{})
	} else {
		dst = dst[:len(dst)+1]
	}
	n.describe(&dst[len(dst)-1], f, function)
	return dst
}

// describe is n as a candidate for f.
func (n *neighbour) describe(c *sched.Neighbour, f *Function, function string) {
	c.ID, c.Zone, c.Arch = n.id, n.member.Zone, n.member.Arch
	c.RTT, c.Throughput, c.Relayed = n.rtt.smoothed, n.throughput, n.relayed
	c.Health, c.Honesty = n.healthFor(function), n.honesty
	c.Load, c.Sampled, c.OwnSends, c.OwnWork = n.load, n.sampled, n.sends.count, n.sends.work
	c.Service, c.Warm, c.Cold = f.Service, f.Warm, f.Cold
}

// Look returns one neighbour as a candidate for the function, as Fill would.
func (m *Mesh) Look(p peer.ID, function string, fp [8]byte) (c sched.Neighbour, ok bool) {
	now, limit := m.now(), m.fresh()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, o := range m.table.index[function] {
		if o.by.id != p {
			continue
		}
		if !o.runs(fp) || !o.by.candidate(now, limit) || o.by.paused(function, now) {
			return c, false
		}
		o.by.describe(&c, o.f, function)
		return c, true
	}
	return c, false
}

// Distance is the least round trip to p that was measured lately, 0 if none was.
func (m *Mesh) Distance(p peer.ID) time.Duration {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if n := m.table.members[p]; n != nil {
		return n.rtt.least
	}
	return 0
}

// All returns the neighbours that could take work now, whatever they run,
// sorted by ID, in dst's memory (it begins at dst[:0]).
func (m *Mesh) All(dst []sched.Neighbour) []sched.Neighbour {
	now, limit := m.now(), m.fresh()
	any := Function{Warm: true}
	dst = dst[:0]
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, n := range m.table.view {
		if n.candidate(now, limit) {
			dst = n.appendTo(dst, &any, "")
		}
	}
	return dst
}

// Has returns the neighbours that run the function in any version and lend it
// to others, whether they could take work now or not.
func (m *Mesh) Has(function string) []peer.ID {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var ids []peer.ID
	for _, o := range m.table.index[function] {
		if !o.f.KeptHome {
			ids = append(ids, o.by.id)
		}
	}
	return ids
}

// Runs tells whether Has returns any.
func (m *Mesh) Runs(function string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.ContainsFunc(m.table.index[function], func(o offer) bool { return !o.f.KeptHome })
}

// Idempotent tells whether an invocation of the function may run twice, as far
// as all say who are known to run it.
func (m *Mesh) Idempotent(function string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	offers := m.table.index[function]
	for _, o := range offers {
		if !o.f.Idempotent {
			return false
		}
	}
	return len(offers) > 0
}

// Names lists the functions that neighbours run, sorted, each as
// faas.Name.String writes it.
func (m *Mesh) Names() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.table.index))
}

// Utilisation is the share of the servers of this node and its neighbours that
// are busy, 0 to 1, smoothed over about ten seconds. By Little's law that is
// what arrivals take of the capacity, as long as no work is turned away; then it
// stays at 1.
func (m *Mesh) Utilisation() float64 { return math.Float64frombits(m.utilisation.Load()) }

// measure takes one sample of it, a second after the last.
func (m *Mesh) measure(now time.Duration) {
	const gain = 0.1
	limit := m.fresh()
	own := m.cfg.Self()
	busy, servers := min(own.Running, own.Servers), own.Servers
	m.mu.RLock()
	for _, n := range m.table.view {
		if n.known() && now-n.heard <= limit {
			busy += min(n.load.Running, n.load.Servers)
			servers += n.load.Servers
		}
	}
	m.mu.RUnlock()
	if servers == 0 {
		return
	}
	before := m.Utilisation()
	m.utilisation.Store(math.Float64bits(before + gain*(float64(busy)/float64(servers)-before)))
}

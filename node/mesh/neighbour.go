package mesh

import (
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

// neighbour is what is known of one member. Members beyond the view are kept as
// well, but not offered.
type neighbour struct {
	id      peer.ID
	key     load.Key
	member  host.Member
	joined  time.Duration
	relayed bool

	inView   bool
	byChance bool          // in view for no other reason
	entered  time.Duration // the view
	used     time.Duration // when it was sent or sought for work last, 0: never

	// told is the newest report of its own, without an age; heard is when it was
	// true, and so until when the neighbour lives.
	told  load.Report
	heard time.Duration
	// report is what is believed: told, or what a third party knew later.
	report  load.Report
	load    sched.Load // report's, put in bounds
	sampled time.Duration

	gossiped time.Duration // when its last report on the topic came, 0: never
	period   time.Duration // smoothed time between those

	sends      sends
	rtt        rtt
	breaker    breaker
	doubted    bool // the breaker is open for broken promises, not for failures
	health     float64
	honesty    float64
	healed     time.Duration       // when heal was called last
	fitness    map[string]*fitness // by function; only what is not well
	throughput float64

	functions list
	fetch     fetch
	probe     probe
}

func newNeighbour(id peer.ID, m host.Member, now time.Duration) *neighbour {
	return &neighbour{id: id, key: load.KeyOf(id), member: m, joined: now,
		relayed: isRelayed(m.Addr), health: 1, honesty: 1, healed: now}
}

// hear takes a report of the neighbour's own, sampled at that time, and tells
// whether it was news.
func (n *neighbour) hear(r *load.Report, sampled time.Duration) bool {
	if !n.known() {
		n.told, n.heard = *r, sampled
		n.believe(r, sampled)
		return true
	}
	if !r.Newer(&n.told) {
		return false
	}
	n.told, n.heard = *r, max(n.heard, sampled)
	// A third party may have told more. If it made up a counter, that helps it
	// no further than the time it claimed.
	if r.Newer(&n.report) || sampled >= n.sampled {
		n.believe(r, sampled)
	}
	return true
}

// hearsay takes what somebody else knows, if that is more than the neighbour
// said itself. Only its load counts: who is new, drains or runs what is for the
// node itself to say.
func (n *neighbour) hearsay(r *load.Report, sampled time.Duration) {
	fresher := n.known() && r.Incarnation == n.told.Incarnation && r.Counter > n.told.Counter
	if fresher && sampled > n.sampled {
		n.believe(r, sampled)
	}
}

func (n *neighbour) believe(r *load.Report, sampled time.Duration) {
	n.report, n.sampled = *r, sampled
	n.report.Functions, n.report.Draining = n.told.Functions, n.told.Draining
	n.load = bounded(r)
	n.sends.reported(sampled)
}

// known tells whether the neighbour ever reported.
func (n *neighbour) known() bool { return n.told.Incarnation != 0 }

// gossip notes that a report of its own came by the topic.
func (n *neighbour) gossip(now time.Duration) {
	const gain, longest = 0.25, time.Minute
	if n.gossiped > 0 {
		gap := min(now-n.gossiped, longest)
		n.period += time.Duration(gain * float64(gap-n.period))
	}
	n.gossiped = now
}

// candidate tells whether work may be sent there now.
func (n *neighbour) candidate(now, limit time.Duration) bool {
	return n.lives(now, limit) && n.breaker.allows(now)
}

// lives tells whether it was heard lately, and takes work.
func (n *neighbour) lives(now, limit time.Duration) bool {
	return n.known() && !n.told.Draining && now-n.heard <= max(limit, 3*n.period)
}

// fallback tells whether work may be sent there if nobody else takes it: it
// answers, if not as it said or not with every function.
func (n *neighbour) fallback(now time.Duration) bool { return n.doubted || n.breaker.allows(now) }

// promise is what the neighbour's load lets expect of a newcomer.
func (n *neighbour) promise(now time.Duration) promise {
	return promise{
		wait: n.load.Wait + n.sends.work/time.Duration(max(1, n.load.Servers)), // what it could not know of
		age:  max(0, now-n.sampled),
		idle: n.load.Wait == 0 && n.load.Total()+n.sends.count < n.load.Servers,
	}
}

// Bounds of what a report may say; whatever is beyond is read as the bound.
const (
	mostWait  = time.Hour
	mostAge   = time.Hour
	mostCount = 1 << 20
	mostRate  = 1e6
)

func bounded(r *load.Report) sched.Load {
	return sched.Load{
		Wait:    between(r.Wait, 0, mostWait),
		Running: between(r.Running, 0, mostCount),
		Queued:  between(r.Queued, 0, mostCount),
		Servers: between(r.Servers, 0, mostCount),
		Speed:   number(r.Speed, 0.01, 100, 1),
		Rate:    number(r.Rate, 0, mostRate, 0),
		Out:     number(r.Out, 0, mostRate, 0),
	}
}

func between[T int | time.Duration](v, low, high T) T { return min(max(v, low), high) }

// number is v within bounds; what is none, or 0, is read as usual.
func number(v, low, high, usual float64) float64 {
	if math.IsNaN(v) || v == 0 {
		return usual
	}
	return min(max(v, low), high)
}

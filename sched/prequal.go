package sched

import (
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// prequal probes ahead: each invocation has probes sent to rate random
// neighbours, for later ones to use. Of a pool of fresh answers it takes, among
// those whose requests in flight (RIF) are below the quantile hot of what was seen
// lately, the one that promises the lowest latency; if all are hot, the one of fewest RIF.
// An entry's RIF grows by one with each use, and it may be used a few times only.
// Wydrowski, Kleinberg, Rumble, Archer, "Load is not what you should balance:
// Introducing Prequal" (NSDI, 2024).
//
// Good with many nodes and high rates at each; at a few requests a second the
// pool is older than the queues it tells of. Latency is the report's wait and
// the mean service there, where the paper's servers keep a median by RIF.
type prequal struct {
	choice
	rate, remove, hot float64
	size              int
	life              time.Duration
	estimates         estimates

	pool   []pooled
	asked  map[peer.ID]bool // whose answers belong in the pool
	seen   []int            // ring of RIFs seen lately
	next   int
	owed   float64 // probes, fractions add up
	spare  float64 // removals
	worst  bool    // the next removal is of the worst, else of the oldest
	probes []peer.ID
	sorted []int
}

// pooled is a probe's answer.
type pooled struct {
	id   peer.ID
	load Load
	at   time.Duration
	uses float64 // left
}

const (
	prequalWindow = 128 // RIFs that the quantile is of
	prequalDelta  = 1.0 // of the paper: net growth of the pool per query
)

func newPrequal(s *Settings) Policy {
	p := &prequal{asked: make(map[peer.ID]bool)}
	p.bind(s, 1, true)
	s.Float(&p.rate, "rate", 3, 0.1, 16, "probes for each invocation; fractions add up")
	s.Float(&p.remove, "remove", 1, 0, 16, "entries removed for each invocation")
	s.Float(&p.hot, "hot", 0.84, 0, 1, "quantile of requests in flight above which a node is hot")
	s.Int(&p.size, "pool", 16, 2, 256, "answers kept")
	s.Duration(&p.life, "life", time.Second, time.Millisecond, time.Minute, "how long an answer serves")
	p.estimates.bind(s)
	return p
}

// Describe implements Describer.
func (p *prequal) Describe() string {
	return fmt.Sprintf("prequal: the best of a pool of probes sent ahead (rate %v, hot %v, pool %d, life %v, free %t)", p.rate, p.hot, p.size, p.life, p.free)
}

// Decide implements Policy.
func (p *prequal) Decide(v *View, r *Request) Decision {
	d, settled := p.settled(v, r)
	if len(p.others) > 0 {
		p.drop(v.Now)
	}
	if !settled {
		d = p.choose(v, r)
	}
	if d.Action != Refuse && r.Hops == 0 {
		p.order(v, r, &d)
	}
	return d
}

// order has probes sent for later invocations.
func (p *prequal) order(v *View, r *Request, d *Decision) {
	p.others = p.others[:0]
	for i := range v.Neighbours {
		if n := &v.Neighbours[i]; mayTake(v, r, n) {
			p.others = append(p.others, i)
		}
	}
	p.owed = min(p.owed+p.rate, float64(p.size))
	p.probes = p.probes[:0]
	for _, i := range p.some(v, int(p.owed)) {
		p.probes = append(p.probes, v.Neighbours[i].ID)
		p.asked[v.Neighbours[i].ID] = true
	}
	p.owed -= float64(int(p.owed))
	if len(p.probes) > 0 {
		d.Probes, d.ProbesFor = p.probes, ProbesForLater
	}
}

// Report implements Notified: answers to its probes go to the pool, the newest
// of a node's only.
func (p *prequal) Report(n News) {
	if n.Via != ViaMessage || !p.asked[n.Of] {
		return
	}
	delete(p.asked, n.Of)
	p.see(n.Load.Total())
	p.pool = slices.DeleteFunc(p.pool, func(e pooled) bool { return e.id == n.Of })
	if len(p.pool) >= p.size {
		p.pool = slices.Delete(p.pool, 0, 1)
	}
	p.pool = append(p.pool, pooled{id: n.Of, load: n.Load, at: n.Sampled, uses: p.reuse()})
}

// reuse is how often an entry may be used: the paper's b_reuse without its
// term m/n, as n, the nodes in view, is small here.
func (p *prequal) reuse() float64 {
	return max(1, (1+prequalDelta)/max(0.1, p.rate-p.remove))
}

func (p *prequal) see(rif int) {
	if len(p.seen) < prequalWindow {
		p.seen = append(p.seen, rif)
		return
	}
	p.seen[p.next] = rif
	p.next = (p.next + 1) % prequalWindow
}

// drop removes what is too old, and for each invocation its due: the oldest and
// the worst in turn.
func (p *prequal) drop(now time.Duration) {
	p.pool = slices.DeleteFunc(p.pool, func(e pooled) bool { return now-e.at > p.life || e.uses < 1 })
	p.spare = min(p.spare+p.remove, float64(p.size))
	for ; p.spare >= 1 && len(p.pool) > 0; p.spare-- {
		at := 0
		if p.worst {
			at = p.worstEntry()
		}
		p.pool = slices.Delete(p.pool, at, at+1)
		p.worst = !p.worst
	}
}

// limit is the quantile of RIFs above which a node is hot.
func (p *prequal) limit() int {
	if len(p.seen) == 0 {
		return 0
	}
	p.sorted = append(p.sorted[:0], p.seen...)
	slices.Sort(p.sorted)
	return p.sorted[min(len(p.sorted)-1, int(p.hot*float64(len(p.sorted))))]
}

func (p *prequal) worstEntry() int {
	hot, limit := -1, p.limit()
	cold := 0
	for i, e := range p.pool {
		if e.load.Total() > limit && (hot < 0 || e.load.Total() > p.pool[hot].load.Total()) {
			hot = i
		}
		if e.load.Wait > p.pool[cold].load.Wait {
			cold = i
		}
	}
	if hot >= 0 {
		return hot
	}
	return cold
}

// choose is hot-cold lexicographic selection; with fewer than two entries it draws
// a node from all, as the paper does.
func (p *prequal) choose(v *View, r *Request) Decision {
	limit := p.limit()
	var best *pooled
	usable := 0
	for i := range p.pool {
		e := &p.pool[i]
		if n := v.Neighbour(e.id); n == nil || !mayTake(v, r, n) {
			continue
		}
		usable++
		if best == nil || p.better(v, e, best, limit) {
			best = e
		}
	}
	if usable < 2 {
		return p.drawn(v)
	}
	here := perServer(v.Self.Load.Total(), v.Self.Load.Servers)
	score := Score{Here: here, There: perServer(best.load.Total(), best.load.Servers)}
	best.uses--
	best.load.Running++ // what is sent there now
	return Decision{Action: Forward, Peer: best.id, Reason: ReasonLatency, Score: score}
}

func (p *prequal) drawn(v *View) Decision {
	if v.Self.Deployed && v.Rand.IntN(len(p.others)+1) == 0 {
		return p.here(v, ReasonDrawn)
	}
	return forwardTo(p.any(v), ReasonDrawn)
}

func (p *prequal) better(v *View, a, b *pooled, limit int) bool {
	hotA, hotB := a.load.Total() > limit, b.load.Total() > limit
	switch {
	case hotA != hotB:
		return hotB
	case hotA:
		return a.load.Total() < b.load.Total()
	}
	return p.latency(v, a) < p.latency(v, b)
}

func (p *prequal) latency(v *View, e *pooled) float64 {
	n := v.Neighbour(e.id)
	service := paceOf(v, p.estimates.prior).service(n.Service, e.load.Speed)
	return seconds(e.load.Wait) + service + seconds(n.RTT)
}

package sched

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// maxProbes bounds spread-v1's option probe.
const maxProbes = 8

// probed is the memory for the peers to be probed.
type probed []peer.ID

// promised tells whether a report younger than half a service shows a free server.
func (p *spreadV1) promised(v *View) bool {
	for i := range p.outlook.candidates {
		c := &p.outlook.candidates[i]
		if seconds(v.Neighbours[c.neighbour].Age(v.Now)) < c.service/2 && c.wait <= 0 {
			return true
		}
	}
	return false
}

// ask has the drawn peer and others, drawn as well, probed.
func (p *spreadV1) ask(v *View, drawn *candidate) Decision {
	p.probes = p.probes[:0]
	for {
		p.probes = append(p.probes, v.Neighbours[drawn.neighbour].ID)
		last := len(p.outlook.candidates) - 1
		*drawn = p.outlook.candidates[last]
		p.outlook.candidates = p.outlook.candidates[:last]
		if last == 0 || len(p.probes) == p.probe {
			return Decision{Action: Probe, Probes: p.probes, Reason: ReasonProbing}
		}
		drawn = p.draw(v)
	}
}

// bestProbed is the one of the probed that answers soonest, one drawn if none did.
func (p *spreadV1) bestProbed(v *View, r *Request) *candidate {
	var best *candidate
	for i := range p.outlook.candidates {
		c := &p.outlook.candidates[i]
		if r.hasProbed(v.Neighbours[c.neighbour].ID) && (best == nil || c.response() < best.response()) {
			best = c
		}
	}
	if best == nil {
		return p.draw(v)
	}
	return best
}

func (r *Request) hasProbed(id peer.ID) bool {
	for _, p := range r.Probed {
		if p == id {
			return true
		}
	}
	return false
}

// chase is rule 5 of spread-v1: an idle node asks whoever has the longest known
// queue, twice in a row at most, and again after one service while somebody is
// known to queue.
type chase struct {
	failed int
	until  time.Duration
	pause  time.Duration
}

func (c *chase) idle(v *View, e estimates) (ask Pull, again time.Duration, ok bool) {
	c.pause = time.Duration(float64(paceOf(v, e.prior)) * speedFactor(v.Self.Load.Speed) * 1e9)
	if v.Now < c.until {
		return Pull{}, c.until - v.Now, false
	}
	n := mostQueued(v, e)
	if n == nil {
		return Pull{}, c.pause, false
	}
	return Pull{Peer: n.ID}, 0, true
}

func (c *chase) ended(e PullEnd) {
	if e.OK {
		c.failed = 0
		return
	}
	if c.failed++; c.failed >= inARow {
		c.failed, c.until = 0, e.Now+c.pause
	}
}

// mostQueued has the largest (q - c)/mu, where chance tells apart those that are
// within a hundredth of each other.
func mostQueued(v *View, e estimates) *Neighbour {
	const jitter = 0.01
	pace := paceOf(v, e.prior)
	var best *Neighbour
	var most float64
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		if n.Age(v.Now) > e.maxAge || !askable(v, n, nil) {
			continue
		}
		waiting := float64(n.Queue()-max(1, n.Load.Servers)) * pace.service(n.Service, n.Load.Speed)
		if waiting *= 1 + jitter*v.Rand.Float64(); waiting > most {
			best, most = n, waiting
		}
	}
	return best
}

// Pass implements Puller: this form passes no ask on.
func (p *spreadV1) Pass(*View, Pull) (to peer.ID, ok bool) { return "", false }

// Served implements Puller.
func (p *spreadV1) Served(time.Duration) {}

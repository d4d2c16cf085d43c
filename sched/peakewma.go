package sched

import (
	"fmt"
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// peakEWMA takes the cheaper of two nodes drawn from all, this one included. A
// node's cost is a moving average of the latency that this node saw there,
// which jumps to every peak and decays from it, times what it has outstanding there
// and one more. It needs no reports at all: Finagle's and Envoy's balancer.
//
// It learns of a peer only by sending there, so that knowledge ages as fast as
// this node's own rate is low; good for clients of many requests.
type peakEWMA struct {
	choice
	decay time.Duration
	first time.Duration
	now   time.Duration // of the last decision
	peers map[peer.ID]*latency
}

// ownself is this node among peers: what a Decision that runs here has as Peer.
const ownself = peer.ID("")

// latency is what this node saw of one node.
type latency struct {
	ewma        float64 // seconds
	at          time.Duration
	outstanding int
}

func newPeakEWMA(s *Settings) Policy {
	p := &peakEWMA{peers: make(map[peer.ID]*latency)}
	p.bind(s, 1, true)
	s.Duration(&p.decay, "decay", 10*time.Second, time.Millisecond, time.Hour, "time constant of the average")
	s.Duration(&p.first, "first", time.Second, time.Millisecond, time.Hour, "latency assumed of a node before it has answered")
	return p
}

// Describe implements Describer.
func (p *peakEWMA) Describe() string {
	return fmt.Sprintf("peak-ewma: the lower of two latencies times outstanding (decay %v, hops %d, free %t)", p.decay, p.hops, p.free)
}

// Decide implements Policy.
func (p *peakEWMA) Decide(v *View, r *Request) Decision {
	p.now = v.Now
	d, ok := p.settled(v, r)
	if !ok {
		d = p.choose(v)
	}
	if d.Action == Forward {
		p.of(d.Peer).outstanding++
	}
	return d
}

func (p *peakEWMA) choose(v *View) Decision {
	two := p.some(v, 2)
	best, there := least(v, two, func(n *Neighbour) float64 { return p.cost(n.ID, p.of(n.ID).outstanding) })
	here := p.cost(ownself, v.Self.Load.Total())
	switch all := len(p.others) + 1; {
	case !v.Self.Deployed || v.Rand.IntN(all) >= 2:
		return scored(forwardTo(best, ReasonLatency), here, there)
	case here <= there:
		return scored(p.here(v, ReasonLatency), here, there)
	}
	return scored(forwardTo(best, ReasonLatency), here, there)
}

func scored(d Decision, here, there float64) Decision {
	d.Score = Score{Here: here, There: there}
	return d
}

func (p *peakEWMA) of(id peer.ID) *latency {
	l := p.peers[id]
	if l == nil {
		l = &latency{ewma: p.first.Seconds()}
		p.peers[id] = l
	}
	return l
}

// cost decays what was seen, so that a peak is forgotten also where nothing is sent.
func (p *peakEWMA) cost(id peer.ID, outstanding int) float64 {
	l := p.of(id)
	faded := l.ewma * math.Exp(-seconds(p.now-l.at)/p.decay.Seconds())
	return faded * float64(outstanding+1)
}

// Observe implements Observer.
func (p *peakEWMA) Observe(o Outcome) {
	id := o.Decision.Peer
	l := p.of(id)
	if o.Decision.Action == Forward {
		l.outstanding = max(0, l.outstanding-1)
	}
	if o.Result != Answered && o.Result != Expired && o.Result != Failed {
		return
	}
	seen := o.Response.Seconds()
	if o.Result == Failed {
		seen = max(seen, p.first.Seconds()) // who fails at once is not fast
	}
	weight := math.Exp(-seconds(p.now-l.at) / p.decay.Seconds())
	if seen > l.ewma {
		weight = 0 // a peak counts in full
	}
	l.ewma, l.at = weight*l.ewma+(1-weight)*seen, p.now
}

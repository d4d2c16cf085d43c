package sched

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// jsqD joins the shortest of d queues: it draws d nodes from all, this one
// among them like any other, asks those that are not this one, and goes where the
// fewest are running and waiting per server. d = 2 is the supermarket model:
// Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (IEEE TPDS,
// 2001); Vvedenskaya, Dobrushin, Karpelevich (1996).
//
// Good where many nodes share the load evenly and a probe is cheap against a
// service. It ignores that running here costs no hop: power-of-n does not.
type jsqD struct {
	choice
	d      int
	probes []peer.ID
	drawn  []int
}

func newJSQ(s *Settings) Policy {
	p := &jsqD{}
	p.bind(s, 1, false)
	s.Int(&p.d, "d", 2, 1, 64, "nodes drawn for one invocation, this one among all")
	return p
}

// Describe implements Describer.
func (p *jsqD) Describe() string {
	return fmt.Sprintf("jsq-d: the shortest of %d drawn queues (hops %d, free %t)", p.d, p.hops, p.free)
}

// Decide implements Policy.
func (p *jsqD) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	if r.Round == 0 {
		return p.draw(v)
	}
	return p.join(v, r)
}

// draw probes d of all nodes. Where this one is among them it takes part in
// join; whoever is not deployed here draws from the others only.
func (p *jsqD) draw(v *View) Decision {
	all := len(p.others)
	if v.Self.Deployed {
		all++
	}
	self := v.Self.Deployed && v.Rand.IntN(all) < p.d
	n := min(p.d, all)
	if self {
		n--
	}
	if n == 0 {
		return p.here(v, ReasonDrawn)
	}
	p.probes = p.probes[:0]
	for _, i := range p.some(v, n) {
		p.probes = append(p.probes, v.Neighbours[i].ID)
	}
	return Decision{Action: Probe, Probes: p.probes, Reason: ReasonProbing}
}

// join compares those that answered. Fewer than d means that this node was
// drawn as well, or that somebody did not answer; then it stands in.
func (p *jsqD) join(v *View, r *Request) Decision {
	p.drawn = p.drawn[:0]
	for _, i := range p.others {
		if id := v.Neighbours[i].ID; contains(r.Probed, id) {
			p.drawn = append(p.drawn, i)
		}
	}
	if len(p.drawn) == 0 {
		return p.unanswered(v)
	}
	best, there := least(v, p.drawn, func(n *Neighbour) float64 { return perServer(n.Queue(), n.Load.Servers) })
	here := perServer(v.Self.Load.Total(), v.Self.Load.Servers)
	d := forwardTo(best, ReasonLessLoaded)
	if v.Self.Deployed && len(r.Probed) < p.d && here <= there {
		d = p.here(v, ReasonNoneLess)
	}
	d.Score = Score{Here: here, There: there}
	return d
}

func (p *jsqD) unanswered(v *View) Decision {
	if v.Self.Deployed {
		return p.here(v, ReasonProbesFailed)
	}
	return forwardTo(p.any(v), ReasonProbesFailed)
}

func contains(list []peer.ID, id peer.ID) bool {
	for _, x := range list {
		if x == id {
			return true
		}
	}
	return false
}

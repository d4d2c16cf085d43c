package sched

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// roundRobin takes all nodes in turn, this one included, by their IDs. Every
// node keeps a turn of its own, so that together they are about as even as
// chance; it is good where services are equal and arrivals are too.
type roundRobin struct {
	choice
	last peer.ID
}

func newRoundRobin(s *Settings) Policy {
	p := &roundRobin{}
	p.bind(s, 1, false)
	return p
}

// Describe implements Describer.
func (p *roundRobin) Describe() string {
	return fmt.Sprintf("round-robin: all nodes in turn, this one included (hops %d, free %t)", p.hops, p.free)
}

// Decide implements Policy.
func (p *roundRobin) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	next := p.after(v, p.last)
	p.last = next
	if next == v.Self.ID {
		return p.here(v, ReasonTurn)
	}
	return Decision{Action: Forward, Peer: next, Reason: ReasonTurn}
}

// after is the next one whose ID follows last, from the start if there is none.
func (p *roundRobin) after(v *View, last peer.ID) peer.ID {
	var first, next peer.ID
	consider := func(id peer.ID) {
		if first == "" || id < first {
			first = id
		}
		if id > last && (next == "" || id < next) {
			next = id
		}
	}
	if v.Self.Deployed {
		consider(v.Self.ID)
	}
	for _, i := range p.others {
		consider(v.Neighbours[i].ID)
	}
	if next == "" {
		return first
	}
	return next
}

// roundRobinMaster has one node, the master, hand out all invocations in turn;
// the others send it whatever arrives there and run what it hands them. It is
// P2PFaaS's RoundRobinWithMasterScheduler: central, and as available as its
// master. Without the master in view a node runs everything itself.
type roundRobinMaster struct {
	roundRobin
	master peer.ID
	serves bool
}

func newRoundRobinMaster(s *Settings) Policy {
	p := &roundRobinMaster{}
	p.bind(s, 2, false)
	s.Peer(&p.master, "master", "peer ID of the node that hands out; the same on all nodes")
	s.Bool(&p.serves, "serves", false, "the master runs invocations, too")
	return p
}

// Describe implements Describer.
func (p *roundRobinMaster) Describe() string {
	return fmt.Sprintf("round-robin-master: %s hands out all invocations in turn (serves %t, loss %t)", p.master, p.serves, p.loss)
}

// Decide implements Policy.
func (p *roundRobinMaster) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	switch {
	case v.Self.ID == p.master:
		return p.handOut(v)
	case r.External() && v.Self.Deployed:
		return p.here(v, ReasonTurn)
	}
	if n := v.Neighbour(p.master); n != nil && mayTake(v, r, n) {
		return forwardTo(n, ReasonMaster)
	}
	return p.here(v, ReasonOnlyHere)
}

func (p *roundRobinMaster) handOut(v *View) Decision {
	next := p.after(v, p.last)
	if next == v.Self.ID && !p.serves {
		next = p.after(v, next)
	}
	p.last = next
	if next == v.Self.ID {
		return p.here(v, ReasonTurn)
	}
	return Decision{Action: Forward, Peer: next, Reason: ReasonTurn}
}

package sched

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// jiq joins idle queues: a node that falls idle tells one other, drawn at
// random, and that one sends it its next invocation. Without such a token an
// invocation runs where it is, or with random anywhere. Lu et al.,
// "Join-Idle-Queue: A novel load balancing algorithm for dynamically scalable web
// services" (Performance Evaluation 68, 2011).
//
// No message is on an invocation's path, and at most one is sent for each. Tokens land
// anywhere alike: where arrivals are skewed, mostly on nodes that need none.
type jiq struct {
	choice
	scatter bool
	life    time.Duration
	tokens  []token // the oldest first
	told    bool    // since it fell idle
}

type token struct {
	of peer.ID
	at time.Duration
}

func newJIQ(s *Settings) Policy {
	p := &jiq{}
	p.bind(s, 1, true)
	s.Bool(&p.scatter, "random", false, "without a token draw a node from all, instead of staying here")
	s.Duration(&p.life, "life", 10*time.Second, time.Millisecond, time.Hour, "how long a token holds")
	return p
}

// Describe implements Describer.
func (p *jiq) Describe() string {
	return fmt.Sprintf("jiq: to a node that said it is idle, else here (random %t, hops %d, free %t)", p.scatter, p.hops, p.free)
}

// Decide implements Policy.
func (p *jiq) Decide(v *View, r *Request) Decision {
	p.told = false // an invocation came: it may fall idle anew
	if d, ok := p.settled(v, r); ok {
		return d
	}
	if n := p.take(v, r); n != nil {
		return forwardTo(n, ReasonIdleToken)
	}
	if v.Self.Deployed && (!p.scatter || v.Rand.IntN(len(p.others)+1) == 0) {
		return p.here(v, ReasonNoToken)
	}
	return forwardTo(p.any(v), ReasonNoToken)
}

// take uses up the oldest token of a neighbour that may take the invocation.
func (p *jiq) take(v *View, r *Request) *Neighbour {
	for len(p.tokens) > 0 && v.Now-p.tokens[0].at > p.life {
		p.tokens = p.tokens[:copy(p.tokens, p.tokens[1:])]
	}
	for i, t := range p.tokens {
		if n := v.Neighbour(t.of); n != nil && mayTake(v, r, n) {
			p.tokens = append(p.tokens[:i], p.tokens[i+1:]...)
			return n
		}
	}
	return nil
}

// Idle implements Puller: it tells one neighbour, once.
func (p *jiq) Idle(v *View) (Pull, time.Duration, bool) {
	if p.told || len(v.Neighbours) == 0 {
		return Pull{}, 0, false
	}
	p.told = true
	return Pull{Peer: v.Neighbours[v.Rand.IntN(len(v.Neighbours))].ID, Notice: true}, 0, true
}

// Pass implements Puller: it keeps the token.
func (p *jiq) Pass(v *View, ask Pull) (peer.ID, bool) {
	for i := range p.tokens {
		if p.tokens[i].of == ask.From {
			p.tokens = append(p.tokens[:i], p.tokens[i+1:]...)
			break
		}
	}
	p.tokens = append(p.tokens, token{ask.From, v.Now})
	return "", false
}

// Pulled implements Puller.
func (p *jiq) Pulled(PullEnd) {}

// Served implements Puller.
func (p *jiq) Served(time.Duration) { p.told = false }

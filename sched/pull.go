package sched

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Puller is a Policy that has idle nodes ask others for work that waits there.
// The driver carries an ask from node to node, moves the invocation, and counts
// every message (an ask, a passing on, a no) against the asker.
//
// Views are made for no particular function then: Neighbours are all in view,
// their and Self's Service is Self.Mix.
type Puller interface {
	Policy
	// Idle is asked when a server is free and nothing waits: whom to ask for work.
	// Without ok, again says in how long it makes sense to call Idle once more, 0
	// for not before an invocation has run here. While an ask is out it is not called.
	Idle(v *View) (ask Pull, again time.Duration, ok bool)
	// Pass is asked on a node that has nothing to hand over: whom to pass the ask
	// on to. Without ok the asker gets a no.
	Pass(v *View, ask Pull) (to peer.ID, ok bool)
	// Pulled tells how an ask of this node's own has ended.
	Pulled(e PullEnd)
	// Served tells that this node has served an invocation to its end.
	Served(now time.Duration)
}

// Pull is a question for work.
type Pull struct {
	// Peer is whom to ask, From who asks; From is set by the driver.
	Peer, From peer.ID
	// Passes is how often it may still be passed on.
	Passes int
	// Notice only says that the asker is idle: nothing is handed over, and whoever
	// gets it is told by Pass and answers no.
	Notice bool
	// Asked are those that have said no or passed it on, in order.
	Asked []peer.ID
}

// PullEnd is how an ask has ended.
type PullEnd struct {
	Now      time.Duration
	Peer     peer.ID // who handed something over, else the last that was asked
	OK       bool    // there was something
	Messages int     // the ask, passings on and the no
}

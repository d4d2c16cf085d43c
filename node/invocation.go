package node

import (
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// headerLimit bounds the time until an answer's header where nobody set a
// deadline. It does not bound the body: a stream without a deadline may last.
const headerLimit = 60 * time.Second

// invocation is one call in this node's care, from its arrival to the end of
// its answer. One goroutine at a time works on it.
type invocation struct {
	invoke.Request
	function *function // nil if not deployed here
	received time.Duration
	at       time.Duration // the last that was read of the clock: good enough for what does not wait
	deadline time.Duration // on the node's clock, 0 for none
	body     *replay
	caller   caller
	policy   string // that its caller wants, "" for the one in force

	parent   *invocation  // that made this call, if it runs here
	depth    int          // hops and inner calls before this one
	borrowed atomic.Int32 // inner calls of this one that run here
	beside   links        // in what runs here

	visited  []peer.ID // Hops, and then who failed on this invocation
	awayOnly bool      // this node has failed on it
	returned bool      // it waited here, and was given back: the node drains, or a peer asked for it
	sentTo   peer.ID   // the peer that had it last, "" for none
	handed   peer.ID   // the peer that asked for it while it waited here
	attempts int
	status   int    // of its answer, 0 while there is none
	record   uint64 // its number in the records, 0 for none
	last     sched.Decision
	asked    sched.Request // what the policy saw last
	wants    need          // of this node, when that was
	step     *sched.Step   // filled in with what a learner decided, if not nil
	hop      invoke.Hop

	metrics *functionMetrics // nil unless its function is deployed, here or in the mesh
	life    life
	ending  ending
	// Memory of what nearly every invocation needs.
	stay    *stay // nil if it is not likely to run here, or has been used
	ownBody replay
	hops    [2]invoke.Hop
}

// newInvocation is the request in the care of this node.
func newInvocation(r *invoke.Request, from caller, budget *replayBudget) *invocation {
	inv := new(invocation)
	inv.enter(r, from, budget)
	return inv
}

// newInvocation has, besides, what it takes to run it here if that is likely.
func (d *dispatcher) newInvocation(r *invoke.Request, from caller) *invocation {
	if d.functions.get(r.Function) == nil {
		return newInvocation(r, from, d.budget)
	}
	var one struct {
		invocation
		stay stay
	}
	inv := &one.invocation
	inv.enter(r, from, d.budget)
	inv.stay = &one.stay
	return inv
}

func (inv *invocation) enter(r *invoke.Request, from caller, budget *replayBudget) {
	inv.Request, inv.caller, inv.body = *r, from, &inv.ownBody
	inv.body.begin(r.Body, budget)
}

// caller is told how an invocation fares while its answer is not there yet.
// Its methods return false when the caller has taken the invocation back.
type caller interface {
	// Hold: it is about to be handed on, and cannot be taken back any more.
	Hold() bool
	// Start: it starts to run.
	Start() bool
}

// patient is a caller that cannot take anything back.
type patient struct{}

func (patient) Hold() bool  { return true }
func (patient) Start() bool { return true }

// left is the time until the deadline, 0 for none.
func (inv *invocation) left(now time.Duration) time.Duration {
	if inv.deadline == 0 {
		return 0
	}
	return max(1, inv.deadline-now)
}

// request is what a policy may know of it.
func (inv *invocation) request(now time.Duration) sched.Request {
	inv.wants = inv.need()
	return sched.Request{
		Function: inv.Function, BodySize: inv.Size, Deadline: inv.left(now),
		Hops: len(inv.Hops), Visited: inv.visited,
		TaskType: inv.TaskType, Priority: inv.Priority, Idempotent: inv.MayRepeat, Weight: inv.wants.weight,
		Nested: inv.parent != nil,
	}
}

// need is what it wants of this node's capacity.
func (inv *invocation) need() need {
	n := need{weight: 1, deadline: inv.deadline, priority: inv.Priority, returned: inv.returned, of: inv}
	if inv.function != nil {
		n.weight, n.service = inv.function.weighs(), inv.function.service.get()
	}
	return n
}

// sayFallback mends the reason of a decision about a function that is deployed
// here and failed: to the policy it is as if it was not.
func (inv *invocation) sayFallback() {
	if inv.awayOnly && inv.function != nil && inv.last.Reason == sched.ReasonNotDeployed {
		inv.last.Reason = sched.ReasonFallback
	}
}

// path is the way of an invocation that got no answer.
func (inv *invocation) path(now time.Duration) []invoke.Hop {
	inv.hop.Total, inv.hop.Attempts = now-inv.received, inv.attempts
	hops := []invoke.Hop{inv.hop}
	if inv.sentTo != "" {
		hops = append(hops, invoke.Hop{Peer: inv.sentTo})
	}
	return hops
}

// headerCame ends the wait for a header.
func (inv *invocation) headerCame() {
	if inv.deadline == 0 {
		inv.life.disarm()
	}
	inv.body.commit()
}

// end frees what the invocation holds.
func (inv *invocation) end() {
	inv.life.over()
	inv.body.close()
}

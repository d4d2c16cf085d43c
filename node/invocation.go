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
	deadline time.Duration // on the node's clock, 0 for none
	body     *replay
	caller   caller
	policy   string // that its caller wants, "" for the one in force
	known    bool   // its function is deployed, here or in the mesh

	parent   *invocation  // that made this call, if it runs here
	depth    int          // hops and inner calls before this one
	borrowed atomic.Int32 // inner calls of this one that run here

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
	step     *sched.Step   // filled in with what a learner decided, if not nil
	hop      invoke.Hop

	life   life
	ending ending
	// Memory of what nearly every invocation needs.
	ownBody replay
	hops    [2]invoke.Hop
}

// newInvocation is the request in the care of this node.
func newInvocation(r *invoke.Request, from caller, budget *replayBudget) *invocation {
	inv := &invocation{Request: *r, caller: from}
	inv.ownBody.begin(r.Body, budget)
	inv.body = &inv.ownBody
	return inv
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
	r := sched.Request{
		Function: inv.Function, BodySize: inv.Size, Deadline: inv.left(now),
		Hops: len(inv.Hops), Visited: inv.visited,
		TaskType: inv.TaskType, Priority: inv.Priority, Idempotent: inv.MayRepeat, Weight: 1,
		Nested: inv.parent != nil,
	}
	if inv.function != nil {
		r.Weight = inv.function.weighs()
	}
	return r
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

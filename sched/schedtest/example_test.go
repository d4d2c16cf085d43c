package schedtest_test

import (
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// nearest runs what it can start at once and sends the rest to the peer with
// the shortest round trip. It keeps the contract: its test is one line,
//
//	schedtest.Run(t, func(*testing.T) sched.Policy { return nearest{} })
type nearest struct{}

func (nearest) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if v.Self.Deployed && v.Self.Free {
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonFreeServer}
	}
	var best *sched.Neighbour
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		if !r.HasVisited(n.ID) && (best == nil || n.RTT < best.RTT) {
			best = n
		}
	}
	switch {
	case best != nil:
		return sched.Decision{Action: sched.Forward, Peer: best.ID, Reason: sched.ReasonAlways}
	case v.Self.Deployed && v.Self.Room:
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonOnlyHere}
	}
	return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}
}

// A policy of one's own.
func Example() {
	far := schedtest.Neighbour("far", 30*time.Millisecond, 4, 0, 50*time.Millisecond)
	close := schedtest.Neighbour("close", 2*time.Millisecond, 1, 7, 50*time.Millisecond)
	for _, invocations := range []int{0, 1} {
		view := schedtest.View(1, schedtest.Self(1, invocations, 50*time.Millisecond), far, close)
		d := nearest{}.Decide(view, schedtest.Request())
		fmt.Println(d.Action, string(d.Peer), d.Reason)
	}
	// Output:
	// run  free-server
	// forward close always
}

package sched_test

import (
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// A busy node hears that one of its neighbours is idle.
func ExampleNew() {
	policy, err := sched.New("spread", map[string]string{"hops": "2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	self := schedtest.Self(2, 6, 100*time.Millisecond)
	busy := schedtest.Neighbour("busy", 3*time.Millisecond, 2, 5, 100*time.Millisecond)
	idle := schedtest.Neighbour("idle", 3*time.Millisecond, 2, 0, 100*time.Millisecond)

	d := policy.Decide(schedtest.View(1, self, busy, idle), schedtest.Request())
	fmt.Printf("%v to %s: %v, %.3f s here and %.3f s there\n",
		d.Action, string(d.Peer), d.Reason, d.Score.Here, d.Score.There)

	_, err = sched.New("spread", map[string]string{"finish": "wide"})
	fmt.Println(err)
	// Output:
	// forward to idle: there-sooner, 0.350 s here and 0.103 s there
	// policy "spread": bad value finish="wide": accepted is a number from 0 to 10
}

func ExampleParameters() {
	list, err := sched.Parameters("power-of-n")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range list {
		fmt.Printf("%-8s %-6s %s\n", p.Key, p.Default, p.Meaning)
	}
	// Output:
	// f        2      fan-out: neighbours probed at a time
	// t        -1     load below which it runs here without a probe; -1 is the number of servers
	// loss     false  refuse what would have to wait here
	// hops     1      forwards after which an invocation stays where it is
	// variant  least  forward to the least loaded probed peer, or to a random one not more loaded than here
}

// Two wait for the one server; while the first is served, the second's time
// runs out.
func ExampleQueue() {
	q := sched.NewQueue[string](sched.QueueConfig{MaxCount: 2, Exact: true})
	for _, call := range []string{"first", "second", "third"} {
		_, err := q.Push(call, sched.Entry{Deadline: 250 * time.Millisecond, Mean: 100 * time.Millisecond})
		if err != nil {
			fmt.Println(call, "refused:", err)
		}
	}
	fmt.Println("a newcomer waits", q.ExpectedWait())
	call, _ := q.Pop(0)
	fmt.Println("served:", call)
	fmt.Println("expired:", q.Expire(300*time.Millisecond))
	// Output:
	// third refused: queue full: 2 wait and 2 may: try again later, or raise the limit, or add nodes
	// a newcomer waits 200ms
	// served: first
	// expired: [second]
}

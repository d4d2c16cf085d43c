package node

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// crowded is a dispatcher that decides with spread, among n neighbours.
func crowded(t testing.TB, n int) (*bench, *invocation) {
	b := newBench(t, nil)
	b.mesh.peers = somePeers(t, n)
	b.records = newRecords(64, b.clock)
	p, err := sched.Policies().New("spread", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.dispatcher.policy.use("spread", p)
	inv := newInvocation(&invoke.Request{Function: "fn", CallID: newCallID(), Size: 1024, Deadline: time.Second}, patient{}, b.budget)
	return b, inv
}

// What every invocation goes through takes no memory beyond the invocation's own.
func TestHotPathsDoNotAllocate(t *testing.T) {
	b, inv := crowded(t, 64)
	answer := &invoke.Answer{Hops: []invoke.Hop{{Peer: "b"}}}
	for name, do := range map[string]func(){
		"admission": func() {
			if err := b.admit(t.Context(), inv); err != nil {
				t.Fatal(err)
			}
		},
		"decision": func() {
			inv.asked = inv.request(b.clock())
			if d := b.ask(inv); d.Action != sched.Run && d.Action != sched.Forward {
				t.Fatalf("decided %+v", d)
			}
		},
		"records": func() {
			b.records.begin(inv)
			b.records.tried(inv, nil)
			b.records.answered(inv, answer)
			b.records.ended(inv, sched.Answered, 0)
		},
		"metrics": func() {
			b.metrics.forwarded(time.Millisecond, nil)
			b.metrics.ended(inv, sched.Answered, time.Millisecond)
		},
		"policy told": func() { b.tell(inv, sched.Answered) },
		"slot": func() {
			var s slot
			if err := b.slots.take(t.Context(), &s, inv.need()); err != nil {
				t.Fatal(err)
			}
			s.release()
		},
	} {
		for range 128 { // the rings and the policy's memory are full then
			do()
		}
		if n := testing.AllocsPerRun(200, do); n > 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

// BenchmarkDecide is a decision of spread through the policy's box, its view and its
// record included.
func BenchmarkDecide(b *testing.B) {
	bench, inv := crowded(b, 64)
	if err := bench.admit(b.Context(), inv); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		inv.asked = inv.request(bench.clock())
		bench.ask(inv)
	}
}

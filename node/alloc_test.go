package node

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
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
			b.records.answered(inv, answer)
			b.records.ended(inv, sched.Answered, 0)
		},
		"metrics": func() {
			b.metrics.forwarded(time.Millisecond, nil)
			b.metrics.of(inv.Function).end(inv, sched.Answered, time.Millisecond)
		},
		"policy told": func() { b.tell(inv, sched.Answered) },
		"slot": func() {
			var s slot
			if err := b.slots.take(t.Context(), &s, inv.need(), b.clock()); err != nil {
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

// An invocation takes two: itself, and what its function is told for its inner
// calls. Pools may have been emptied meanwhile.
func TestDispatchAllocatesLittle(t *testing.T) {
	const most = 4
	call := dispatching(t)
	for range 128 { // the rings and the policy's memory are full then
		call()
	}
	if n := testing.AllocsPerRun(200, call); n > most {
		t.Errorf("%v allocations a call, want %d at most", n, most)
	}
}

// BenchmarkDispatch is an invocation of 1 KB on its way through this node, run here by
// a function that answers at once: all that a call costs but the wire's two ends.
func BenchmarkDispatch(b *testing.B) {
	call := dispatching(b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

// dispatching makes calls within a context that can be watched, as those of a server.
func dispatching(t testing.TB) (call func()) {
	b, _ := crowded(t, 2)
	b.dispatcher.slots = newSlots(slotsConfig{servers: 4, maxOpen: 10}, b.clock)
	b.dispatcher.runtime = &readyRuntime{Runtime: b.runtime}
	d, body, in := b.dispatcher, bytes.NewReader(make([]byte, 1024)), make([]byte, 1024)
	header := invoke.Header{{Name: "Content-Type", Value: "text/plain"}}
	id := newCallID()
	var caller life
	caller.begin(context.Background(), time.Hour, b.alarms)
	t.Cleanup(caller.over)
	return func() {
		_, _ = body.Seek(0, io.SeekStart)
		inv := d.newInvocation(&invoke.Request{Function: "fn", CallID: id, Method: "POST", Header: header, Body: body, Size: 1024, Deadline: time.Second}, patient{})
		if err := inv.body.prefetch(1024); err != nil {
			t.Fatal(err)
		}
		a, err := d.dispatch(&caller, inv)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a.Body, in); err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
	}
}

// readyRuntime answers with as many bytes as it reads, and allocates nothing.
type readyRuntime struct {
	faas.Runtime
	answer faas.Response
	in     [1024]byte
	out    bytes.Reader
}

func (r *readyRuntime) Invoke(ctx context.Context, req *faas.Request) (*faas.Response, error) {
	n, err := io.ReadFull(req.Body, r.in[:])
	if err != nil {
		return nil, err
	}
	r.out.Reset(r.in[:n])
	r.answer = faas.Response{Status: 200, Size: int64(n), Body: readyBody{r}}
	return &r.answer, nil
}

type readyBody struct{ *readyRuntime }

func (b readyBody) Read(p []byte) (int, error) { return b.out.Read(p) }
func (readyBody) Close() error                 { return nil }

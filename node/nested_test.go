package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestParentageSurvivesItsHeader(t *testing.T) {
	for _, p := range []parentage{
		{call: "abc"},
		{call: "abc", depth: 3},
		{call: "abc", depth: 3, key: "k"},
		{call: "abc", depth: 3, deadline: 250 * time.Millisecond},
	} {
		if got, err := parseParentage(p.String()); err != nil || got != p {
			t.Errorf("%q read as %+v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"abc;hops=many", "abc;hops=-1", "abc;deadline=soon", "abc;deadline=-1s"} {
		if _, err := parseParentage(bad); codeOf(err) != invoke.CodeBadRequest {
			t.Errorf("%q: %v, want a bad request", bad, err)
		}
	}
	if p, err := parseParentage("abc;later=thing;hops=2"); err != nil || p.depth != 2 {
		t.Errorf("parts of a later version must be left alone: %+v, %v", p, err)
	}
}

// A node whose only server runs the outer call must still answer the inner one.
func TestInnerCallBorrowsTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, runHere, runHere)
		b.runtime.takes = 10 * time.Second
		outer := make(chan error, 1)
		go func() {
			_, _, err := b.call(t.Context(), invoke.Request{CallID: "outer", Deadline: time.Minute})
			outer <- err
		}()
		time.Sleep(time.Second)
		began := time.Now()
		if _, _, err := b.call(t.Context(), invoke.Request{CallID: "inner", Parent: "outer;hops=1;key=" + b.running.key}); err != nil {
			t.Errorf("inner call: %v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("inner call took %v: it waited for a server", took)
		}
		if !b.policy.seen[1].request.Nested {
			t.Error("the policy was not told that the call is nested")
		}
		if left := b.policy.seen[1].request.Deadline; left != 59*time.Second {
			t.Errorf("inner call has %v left, want its parent's 59s", left)
		}
		if err := <-outer; err != nil {
			t.Errorf("outer call: %v", err)
		}
		if l := b.slots.load(); l.Running != 0 {
			t.Errorf("left behind: %+v", l)
		}
	})
}

// Who guesses a call ID does not get around the servers' limit.
func TestParentNeedsItsKey(t *testing.T) {
	b := newBench(t, nil)
	inv := &invocation{Request: invoke.Request{CallID: "outer"}}
	b.running.add(inv)
	for parent, want := range map[string]*invocation{
		"outer;hops=1": nil, "outer;hops=1;key=guess": nil, "other;key=" + b.running.key: nil, "outer;key=" + b.running.key: inv,
	} {
		p, err := parseParentage(parent)
		if got := b.parent(p); err != nil || got != want {
			t.Errorf("%s: parent %v, %v", parent, got, err)
		}
	}
}

func TestCallsInACircleEnd(t *testing.T) {
	b := newBench(t, nil)
	_, _, err := b.call(t.Context(), invoke.Request{Parent: "outer;hops=17"})
	if codeOf(err) != invoke.CodeLoop {
		t.Errorf("%v, want a loop", err)
	}
}

func TestDrainHandsOnWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := sched.Decision{Action: sched.Run, Reason: sched.ReasonHereSooner}
		b := newBench(t, nil, runHere, queue, queue, forwardTo("b"), sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull})
		b.peers.answers["b"] = answers("from b")
		b.runtime.takes = time.Second
		bodies := make(chan string, 3)
		for range 3 {
			go func() {
				body, _, err := b.call(t.Context(), invoke.Request{})
				if err != nil {
					t.Error(err)
				}
				bodies <- body
			}()
			synctest.Wait()
		}
		drained := b.care.drain()
		b.slots.drain()
		got := map[string]int{<-bodies: 1}
		got[<-bodies]++
		got[<-bodies]++
		if got["from b"] != 1 || got["body"] != 2 {
			t.Errorf("answers %v; want one handed on, and the other back here, since nobody took it", got)
		}
		<-drained
	})
}

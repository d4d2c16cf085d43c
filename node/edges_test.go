package node

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestHeadGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(2, sched.QueueConfig{})
		running, _ := s.acquire(t.Context(), whole(time.Second))
		defer running.release()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { n := whole(time.Second); n.weight = 2; _, _ = s.acquire(ctx, n) }()
		synctest.Wait()
		got := make(chan *slot, 1)
		go func() { g, _ := s.acquire(t.Context(), whole(time.Second)); got <- g }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case g := <-got:
			g.release()
		default:
			t.Errorf("a server is free, yet it waits: %+v busy %v", s.load(), s.busy)
			running.release()
			(<-got).release()
		}
	})
}

func TestNextOversubscribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(1, sched.QueueConfig{})
		small := func(w float64) need { n := whole(10 * time.Millisecond); n.weight = w; return n }
		a, _ := s.acquire(t.Context(), small(0.5))
		b, _ := s.acquire(t.Context(), small(0.5))
		late := small(0.5)
		late.deadline, late.service.P10 = s.clock()+100*time.Millisecond, 50*time.Millisecond
		go func() { _, _ = s.acquire(t.Context(), late) }()
		synctest.Wait()
		got := make(chan *slot, 1)
		go func() { g, _ := s.acquire(t.Context(), small(1)); got <- g }()
		synctest.Wait()
		time.Sleep(60 * time.Millisecond)
		a.release()
		synctest.Wait()
		if s.busy > 1 {
			t.Errorf("busy %v of 1 server", s.busy)
		}
		b.release()
		(<-got).release()
	})
}

type slowFind struct{ *meshOf }

func (m slowFind) Find(context.Context, string) bool { time.Sleep(150 * time.Millisecond); return true }

type stuckPeers struct{}

func (stuckPeers) Send(ctx context.Context, _ peer.ID, _ *invoke.Request, _ sender) (*invoke.Answer, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestDeadlineCoversTheSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, forwardTo("b"))
		b.dispatcher.mesh = slowFind{b.mesh}
		b.dispatcher.client = stuckPeers{}
		began := time.Now()
		_, _, err := b.call(t.Context(), invoke.Request{Function: "nowhere", Deadline: 200 * time.Millisecond})
		if took := time.Since(began); took != 200*time.Millisecond {
			t.Errorf("after %v: %v; want 200ms", took, err)
		}
	})
}

func TestBrokenUploadBlamesNobody(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"), forwardTo("c"), sched.Decision{Action: sched.Refuse})
	broke := func(r *invoke.Request, _ string) (*invoke.Answer, error) { panic("unreached") }
	_ = broke
	b.dispatcher.client = uploadPeers{b.peers}
	body := io.MultiReader(strings.NewReader("bo"), iotest.ErrReader(io.ErrUnexpectedEOF))
	inv := &invocation{Request: invoke.Request{Function: "fn", MayRepeat: true, Size: 4}, body: newReplay(body, b.budget), caller: patient{}}
	_, err := b.dispatch(t.Context(), inv)
	t.Logf("err %v", err)
	if len(b.peers.sent) != 1 {
		t.Errorf("a body that broke off was sent to %d peers", len(b.peers.sent))
	}
	for _, d := range b.mesh.done {
		if d.Result == mesh.Failed {
			t.Errorf("the client broke off, the peer is blamed: %+v", d)
		}
	}
}

// uploadPeers fails as invoke.Client does when the body breaks off (brokenBody).
type uploadPeers struct{ p *peers }

func (u uploadPeers) Send(_ context.Context, to peer.ID, r *invoke.Request, _ sender) (*invoke.Answer, error) {
	u.p.sent = append(u.p.sent, sent{to: to})
	_, err := io.ReadAll(r.Body)
	return nil, &invoke.Error{Code: invoke.CodeCancelled, Text: "the request's body broke off", Err: err}
}

func TestFailuresAreNoServiceTimes(t *testing.T) {
	var script []sched.Decision
	for range 100 {
		script = append(script, runHere, sched.Decision{Action: sched.Refuse})
	}
	b := newBench(t, nil, script...)
	fn := b.functions.get("fn")
	for range 10 {
		fn.service.add(time.Second)
	}
	b.runtime.failed = faas.ErrUnavailable
	for range 100 {
		_, _, _ = b.call(t.Context(), invoke.Request{})
	}
	if m := fn.service.get().Mean; m < 900*time.Millisecond {
		t.Errorf("mean %v after failures, which served nobody; want 1s", m)
	}
}

func TestEmptyAnswerIsAnswered(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"))
	b.peers.answers["b"] = answers("")
	inv := &invocation{Request: invoke.Request{Function: "fn"}, body: newReplay(nil, b.budget), caller: patient{}}
	a, err := b.dispatch(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close() // as invoke's answerWriter does: nothing to read
	if got := b.policy.outcomes[0].Result; got != sched.Answered {
		t.Errorf("an empty answer counts as %v", got)
	}
}

func TestRunWithoutFunction(t *testing.T) {
	var script []sched.Decision
	for range sched.MaxRounds {
		script = append(script, sched.Decision{Action: sched.Wait})
	}
	script = append(script, sched.Decision{Action: sched.Refuse})
	b := newBench(t, nil, script...)
	func() {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("panic: %v", r)
			}
		}()
		_, _, _ = b.call(t.Context(), invoke.Request{Function: "away"})
	}()
	if b.care.open != 0 || b.slots.load().Running != 0 {
		t.Errorf("care %d, running %d", b.care.open, b.slots.load().Running)
	}
}

func TestLabels(t *testing.T) {
	b := newBench(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := b.call(ctx, invoke.Request{Function: "strangers-word"})
	t.Log(err)
	families, _ := b.metrics.registry.Gather()
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == "strangers-word" {
					t.Errorf("%s has a stranger's word as a label", f.GetName())
				}
			}
		}
	}
}

func TestInnerCallWithItsParentsID(t *testing.T) {
	var r running
	parent := &invocation{Request: invoke.Request{CallID: "x"}}
	inner := &invocation{Request: invoke.Request{CallID: "x"}}
	r.add(parent)
	r.add(inner)
	r.remove(inner)
	if r.find("x") != parent {
		t.Error("the parent still runs, and is not found")
	}
}

type halfThere struct{}

func (halfThere) Buffered() int            { return 1000 }
func (halfThere) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestPrefetchGivesBack(t *testing.T) {
	b := newBench(t, nil)
	_, err := b.ServeInvoke(t.Context(), &invoke.Call{Request: invoke.Request{Function: "fn", Size: 1000, Body: halfThere{}}})
	if used := b.budget.used.Load(); used != 0 {
		t.Errorf("%v: %d bytes not given back", err, used)
	}
}

func TestProbesRace(t *testing.T) {
	p, err := sched.New("power-of-n", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, nil)
	b.dispatcher.mesh = quietMesh{b.mesh}
	b.dispatcher.client = quietPeers{}
	b.dispatcher.policy.use("power-of-n", p)
	hold, _ := b.slots.acquire(t.Context(), need{weight: 1})
	defer hold.release()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				_, _, _ = b.call(t.Context(), invoke.Request{Function: "away"})
			}
		})
	}
	all.Wait()
}

type quietMesh struct{ *meshOf }

func (quietMesh) Probe(_ context.Context, p []peer.ID) []peer.ID { return p }
func (quietMesh) Done(peer.ID, mesh.Done)                        {}

type quietPeers struct{}

func (quietPeers) Send(_ context.Context, _ peer.ID, r *invoke.Request, _ sender) (*invoke.Answer, error) {
	return answers("x")(r, "")
}

package async

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// What happens when two things happen to one call at the same time.

// The same ID at several nodes at once is the same call all the same.
func TestTheSameIDAtSeveralNodesAtOnce(t *testing.T) {
	town := newTown()
	f := &function{}
	var nodes []*Engine
	for _, id := range []peer.ID{"a", "b", "c"} {
		nodes = append(nodes, town.move(t, id, Config{Invoker: f}))
	}
	for i := range 20 {
		c := callOf(async.Call{ID: fmt.Sprintf("chosen %d", i)}, "x")
		var group sync.WaitGroup
		began := time.Now()
		for _, e := range nodes {
			group.Go(func() {
				if _, _, err := e.Accept(t.Context(), c, strings.NewReader("x")); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		stalled := time.Since(began) >= askLimit // who does not answer for so long is not waited for
		var holders int
		for _, e := range nodes {
			if _, _, err := e.local(t.Context(), c.ID, false); err == nil {
				holders++
				become(t, e, c.ID, async.Done)
			}
		}
		if n := f.count(c.ID); (holders != 1 || n != 1) && !stalled {
			t.Fatalf("%s is held by %d nodes, and ran %d times", c.ID, holders, n)
		}
	}
}

// A second try under the same ID is not told of the first one's broken body.
func TestSecondTryTakesTheFirstOnesPlace(t *testing.T) {
	e := open(t, Config{})
	body, broken := io.Pipe()
	first := make(chan error, 1)
	c := callOf(async.Call{ID: "chosen"}, "abc")
	go func() {
		_, _, err := e.Accept(t.Context(), c, body)
		first <- err
	}()
	if _, err := broken.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() {
		_, _, err := e.Accept(t.Context(), c, strings.NewReader("abc"))
		second <- err
	}()
	_ = broken.CloseWithError(errTest)
	if err := <-first; !errors.Is(err, ErrBroken) {
		t.Error("the first:", err)
	}
	if err := <-second; err != nil {
		t.Error("the second:", err)
	}
	become(t, e, "chosen", async.Done)
	if got := resultOf(t, e, "chosen"); got != "abc" {
		t.Errorf("answer %q", got)
	}
}

// stall has commits wait when it is told to.
type stall struct {
	mu   sync.Mutex
	hold chan struct{}
	in   chan struct{}
}

func (s *stall) fault(op string) error {
	s.mu.Lock()
	hold, in := s.hold, s.in
	s.mu.Unlock()
	if op == "commit" && hold != nil {
		select {
		case in <- struct{}{}:
		default:
		}
		<-hold
	}
	return nil
}

// next has the next commit wait; in tells that it does, goOn lets it.
func (s *stall) next() (in <-chan struct{}, goOn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := make(chan struct{})
	s.hold, s.in = hold, make(chan struct{}, 1)
	return s.in, func() {
		s.mu.Lock()
		s.hold = nil
		s.mu.Unlock()
		close(hold)
	}
}

// A copy that is forgotten while it is taken over is gone for good.
func TestForgottenWhileTakenOver(t *testing.T) {
	var s stall
	dir := t.TempDir()
	e := stopped(t, Config{Dir: dir, fault: s.fault})
	keep := func(id string) {
		if err := e.Keep(t.Context(), "holder", callOf(async.Call{ID: id}, ""), strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	keep("it")
	n := e.calls["it"]
	in, goOn := s.next()
	var group sync.WaitGroup
	group.Go(func() { keep("another") })
	<-in // nothing is committed for the moment
	group.Go(func() {
		if err := e.Forget(t.Context(), "holder", "it"); err != nil {
			t.Error(err)
		}
	})
	waiting := func(n int) func() error {
		return func() error {
			e.store.mu.Lock()
			defer e.store.mu.Unlock()
			if len(e.store.waiting) != n {
				return fmt.Errorf("%d changes wait", len(e.store.waiting))
			}
			return nil
		}
	}
	eventually(t, "it is being forgotten", waiting(1))
	group.Go(func() {
		if err := e.takeOne(n); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "and taken over", waiting(2))
	goOn()
	group.Wait()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := stopped(t, Config{Dir: dir})
	if _, _, err := again.local(t.Context(), "it", false); !errors.Is(err, async.ErrNotFound) {
		t.Error("the next start finds it:", err)
	}
}

func TestForgottenTwiceAtOnce(t *testing.T) {
	e := stopped(t, Config{})
	if err := e.Keep(t.Context(), "holder", callOf(async.Call{ID: "it"}, "body"), strings.NewReader("body")); err != nil {
		t.Fatal(err)
	}
	n := e.calls["it"]
	for range 2 { // the janitor and the holder's word
		if err := e.drop([]*entry{n}); err != nil {
			t.Fatal(err)
		}
	}
	empty(t, e)
}

// A cancellation that came when the last attempt had failed already does not
// outlast that the dead letter is queued again.
func TestCancelledWhileItBecameADeadLetter(t *testing.T) {
	var s stall
	var works atomic.Bool
	f := &function{answer: func(context.Context, *invoke.Request, []byte) (*invoke.Answer, error) {
		if works.Load() {
			return said(200, "ok"), nil
		}
		return said(500, ""), nil
	}}
	e := stopped(t, Config{Invoker: f, Retry: soon(1), fault: s.fault})
	id := post(t, e, async.Call{}, "").ID
	in, goOn := s.next()
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-in // the outcome is being written
	if _, err := e.Cancel(t.Context(), id); err != nil {
		t.Error(err)
	}
	goOn()
	become(t, e, id, async.Dead)
	works.Store(true)
	eventually(t, "it is queued again", func() error {
		_, err := e.Requeue(t.Context(), id)
		return err
	})
	become(t, e, id, async.Done)
}

// A copy whose sender did not hear that it was kept is sent again.
func TestCopyIsSentTwice(t *testing.T) {
	e := stopped(t, Config{})
	for range 2 {
		body := strings.NewReader("body")
		if err := e.Keep(t.Context(), "holder", callOf(async.Call{ID: "it"}, "body"), body); err != nil {
			t.Fatal(err)
		}
		if body.Len() > 0 { // protocol/async takes that for a copy that is not whole
			t.Errorf("%d bytes of the body are unread", body.Len())
		}
	}
	other := callOf(async.Call{ID: "it", Function: "other"}, "body")
	if err := e.Keep(t.Context(), "holder", other, strings.NewReader("body")); !errors.Is(err, ErrOther) {
		t.Error("another call under the same ID:", err)
	}
}

func TestDrainingNodeKeepsNoCopies(t *testing.T) {
	e := open(t, Config{})
	e.Quiesce()
	if err := e.Keep(t.Context(), "holder", callOf(async.Call{ID: "it"}, ""), strings.NewReader("")); !errors.Is(err, async.ErrFull) {
		t.Error(err)
	}
	empty(t, e)
}

// reserved is a street where nobody may ask what is alive.
type reserved struct{ street }

func (reserved) Alive(context.Context, peer.ID, []string) ([]string, error) {
	return nil, async.ErrDenied
}

func TestHolderThatRefusesToAnswerIsNotGone(t *testing.T) {
	town := newTown()
	a := town.move(t, "a", Config{Copies: 2})
	a.Quiesce()
	f := &function{}
	b := stopped(t, Config{Self: "b", Mesh: reserved{street{town, "b"}}, Invoker: f, Takeover: 50 * time.Millisecond})
	town.mu.Lock()
	town.nodes["b"] = b
	town.mu.Unlock()
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := post(t, a, async.Call{}, "").ID
	time.Sleep(300 * time.Millisecond) // several times Takeover
	if n := b.Stats().Copies; n != 1 || f.count(id) != 0 {
		t.Errorf("%d copies, ran %d times", n, f.count(id))
	}
}

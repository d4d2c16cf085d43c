package async

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// town is a mesh of Engines in one process.
type town struct {
	mu    sync.Mutex
	nodes map[peer.ID]*Engine
	away  map[peer.ID]bool
}

func newTown() *town { return &town{nodes: map[peer.ID]*Engine{}, away: map[peer.ID]bool{}} }

// move adds an Engine to the town.
func (w *town) move(t *testing.T, id peer.ID, c Config) *Engine {
	t.Helper()
	c.Self, c.Mesh = id, street{w, id}
	e := stopped(t, c)
	w.mu.Lock()
	w.nodes[id], w.away[id] = e, false
	w.mu.Unlock()
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *town) leave(id peer.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away[id] = true
}

// street is the town as one node sees it.
type street struct {
	*town
	self peer.ID
}

var errAway = errors.New("not at home")

func (s street) Members() (all []peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away[s.self] {
		return nil
	}
	for id := range s.nodes {
		if id != s.self && !s.away[id] {
			all = append(all, id)
		}
	}
	return all
}

func (s street) Named(k load.Key) (peer.ID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.nodes {
		if load.KeyOf(id) == k {
			return id, true
		}
	}
	return "", false
}

func (s street) at(p peer.ID) (async.Handlers, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.nodes[p]
	if e == nil || s.away[p] || s.away[s.self] {
		return nil, errAway
	}
	return e.Handlers(), nil
}

func (s street) Keep(ctx context.Context, p peer.ID, c async.Call, body io.Reader) error {
	h, err := s.at(p)
	if err != nil {
		return err
	}
	return h.Keep(ctx, s.self, c, body)
}

func (s street) Forget(ctx context.Context, p peer.ID, id string) error {
	h, err := s.at(p)
	if err != nil {
		return err
	}
	return h.Forget(ctx, s.self, id)
}

func (s street) Find(ctx context.Context, p peer.ID, id string, want bool) (async.Status, io.ReadCloser, error) {
	h, err := s.at(p)
	if err != nil {
		return async.Status{}, nil, err
	}
	return h.Find(ctx, s.self, id, want)
}

func (s street) Cancel(ctx context.Context, p peer.ID, id string) (async.Status, error) {
	h, err := s.at(p)
	if err != nil {
		return async.Status{}, err
	}
	return h.Cancel(ctx, s.self, id)
}

func (s street) Alive(ctx context.Context, p peer.ID, ids []string) ([]string, error) {
	h, err := s.at(p)
	if err != nil {
		return nil, err
	}
	return h.Alive(ctx, s.self, ids)
}

func TestAnyNodeTellsOfACall(t *testing.T) {
	town := newTown()
	a := town.move(t, "a", Config{})
	b := town.move(t, "b", Config{})
	own := post(t, a, async.Call{}, "own").ID
	chosen := post(t, a, async.Call{ID: "chosen"}, "chosen").ID
	looks := post(t, a, async.Call{ID: strings.Repeat("0", 32)}, "looks like ours").ID
	for id, want := range map[string]string{own: "own", chosen: "chosen", looks: "looks like ours"} {
		become(t, a, id, async.Done)
		s, body, err := b.Lookup(t.Context(), id, true)
		if err != nil || body == nil {
			t.Fatal(id, err)
		}
		got, _ := io.ReadAll(body)
		if body.Close(); string(got) != want || s.Holder != "a" || s.State != async.Done {
			t.Errorf("%s: %q %+v", id, got, s)
		}
	}
	for _, id := range []string{"unknown", NewID("a"), NewID("b"), NewID("a stranger")} {
		if _, _, err := b.Lookup(t.Context(), id, false); !errors.Is(err, async.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := b.Cancel(t.Context(), own); !errors.Is(err, async.ErrFinished) {
		t.Error("a call that is done elsewhere is cancelled:", err)
	}
	// The same ID is the same call, whichever node is asked.
	s, known, err := b.Accept(t.Context(), callOf(async.Call{ID: "chosen"}, "chosen"), strings.NewReader("chosen"))
	if err != nil || !known || s.Holder != "a" {
		t.Error("the same call at another node:", s.Holder, known, err)
	}
	if n := b.Stats().Calls[async.Queued]; n != 0 {
		t.Error("it is queued there, too")
	}
	town.leave("a")
	var gone *HolderError
	if _, _, err := b.Lookup(t.Context(), own, true); !errors.As(err, &gone) || gone.Holder != "a" {
		t.Errorf("the holder is gone: %v", err)
	}
	if _, err := b.Cancel(t.Context(), own); !errors.As(err, &gone) {
		t.Errorf("the holder is gone: %v", err)
	}
}

func TestCancelAtAnotherNode(t *testing.T) {
	town := newTown()
	a := town.move(t, "a", Config{})
	b := town.move(t, "b", Config{})
	a.Quiesce()
	id := post(t, a, async.Call{}, "").ID
	if s, err := b.Cancel(t.Context(), id); err != nil || s.State != async.Cancelled {
		t.Fatal(s, err)
	}
	become(t, a, id, async.Cancelled)
}

func TestCopyIsKeptUntilTheEnd(t *testing.T) {
	town := newTown()
	hold := make(chan struct{})
	f := &function{answer: func(ctx context.Context, _ *invoke.Request, b []byte) (*invoke.Answer, error) {
		<-hold
		return said(200, string(b)), nil
	}}
	a := town.move(t, "a", Config{Copies: 2, Invoker: f})
	if _, _, err := a.Accept(t.Context(), callOf(async.Call{}, "x"), strings.NewReader("x")); !errors.Is(err, ErrNoCopy) {
		t.Fatalf("nobody keeps a copy: %v", err)
	}
	empty(t, a)
	b := town.move(t, "b", Config{})
	large := strings.Repeat("x", 3*copySize)
	id := post(t, a, async.Call{}, large).ID
	if n := b.Stats().Copies; n != 1 {
		t.Fatalf("%d copies", n)
	}
	if _, _, err := b.Find(t.Context(), "a", id, false); !errors.Is(err, async.ErrNotFound) {
		t.Error("the keeper says it holds the call:", err)
	}
	if s, _, err := b.Lookup(t.Context(), id, false); err != nil || s.Holder != "a" {
		t.Error("asked at the keeper:", s.Holder, err)
	}
	close(hold)
	become(t, a, id, async.Done)
	eventually(t, "the copy is dropped", func() error {
		if n := b.Stats().Copies; n != 0 {
			return fmt.Errorf("%d copies", n)
		}
		return nil
	})
	empty(t, b)
}

func TestKeeperTakesOver(t *testing.T) {
	town := newTown()
	dir := t.TempDir()
	a := town.move(t, "a", Config{Dir: dir, Copies: 2})
	a.Quiesce() // it will never run them itself
	f := &function{}
	b := town.move(t, "b", Config{Invoker: f, Takeover: 100 * time.Millisecond})
	c := town.move(t, "c", Config{Calls: 1})
	c.Quiesce()
	post(t, c, async.Call{}, "") // full: it keeps nothing
	var ids []string
	for i := range 20 {
		ids = append(ids, post(t, a, async.Call{}, fmt.Sprint(i)).ID)
	}
	time.Sleep(200 * time.Millisecond) // longer than Takeover: the holder is here
	if n := b.Stats().Copies; n != 20 {
		t.Fatalf("%d copies", n)
	}
	town.leave("a")
	for i, id := range ids {
		become(t, b, id, async.Done)
		s, body, err := c.Lookup(t.Context(), id, true) // the named holder is gone
		if err != nil || s.Holder != "b" {
			t.Fatal(s.Holder, err)
		}
		if got, _ := io.ReadAll(body); string(got) != fmt.Sprint(i) || f.count(id) != 1 {
			t.Errorf("call %d: %q, ran %d times", i, got, f.count(id))
		}
		_ = body.Close()
	}
	// The first holder comes back: it leaves the calls to who has them now.
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := &function{}
	back := town.move(t, "a", Config{Dir: dir, Copies: 2, Invoker: again})
	for _, id := range ids {
		eventually(t, "the call is left to its new holder", func() error {
			s, _, err := back.Lookup(t.Context(), id, false)
			if err != nil || s.Holder != "b" {
				return fmt.Errorf("%s %v", s.Holder, err)
			}
			return nil
		})
		if n := again.count(id); n != 0 {
			t.Errorf("it ran %d times again", n)
		}
	}
}

// A holder that comes back in time is asked first: what it has ended is dropped,
// the rest stays.
func TestHolderIsBackInTime(t *testing.T) {
	town := newTown()
	a := town.move(t, "a", Config{Copies: 2})
	b := town.move(t, "b", Config{Takeover: time.Hour})
	a.Quiesce()
	ended := post(t, a, async.Call{}, "").ID
	post(t, a, async.Call{}, "")
	eventually(t, "two copies", func() error {
		if b.Stats().Copies != 2 {
			return errors.New("not yet")
		}
		return nil
	})
	town.leave("a")
	if _, err := a.Cancel(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // the janitor sees that it is gone
	town.mu.Lock()
	town.away["a"] = false
	town.mu.Unlock()
	eventually(t, "the copy of the ended call is dropped", func() error {
		if n := b.Stats().Copies; n != 1 {
			return fmt.Errorf("%d copies", n)
		}
		return nil
	})
}

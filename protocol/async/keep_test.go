package async

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

func TestKeepBringsCallAndBody(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	c := NewClient(asker)
	for _, size := range []int{0, 1, 5, bufSize, 100_000, 3 << 20} {
		for _, known := range []bool{true, false} {
			id := fmt.Sprintf("%d-%t", size, known)
			call, body := sampleCall(id, int64(size)), pattern(size)
			if !known {
				call.Size = -1
			}
			if err := c.Keep(within(t), answerer.ID(), call, bytes.NewReader(body)); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if diff := cmp.Diff(call, k.calls[id]); diff != "" {
				t.Errorf("%s: -sent +kept:\n%s", id, diff)
			}
			if !bytes.Equal(body, k.bodies[id]) {
				t.Errorf("%s: %d bytes of body arrived otherwise than they were sent", id, len(k.bodies[id]))
			}
		}
	}
	if k.from != asker.ID() {
		t.Errorf("kept for %s, want the asker %s", k.from, asker.ID())
	}
}

func TestBrokenBodiesAreNotKept(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	failed := errors.New("disk on fire")
	for _, c := range []struct {
		name string
		size int64
		body io.Reader
		want error
	}{
		{"ends early", 5, bytes.NewReader([]byte("abc")), io.ErrUnexpectedEOF},
		{"ends early, large", 1 << 20, bytes.NewReader(pattern(1<<20 - 1)), io.ErrUnexpectedEOF},
		{"fails", 200_000, broken(100_000, failed), failed},
		{"fails, of unknown size", -1, broken(100_000, failed), failed},
		{"fails at once, of unknown size", -1, broken(0, failed), failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			k.cut = nil
			err := NewClient(asker).Keep(within(t), answerer.ID(), sampleCall("cut", c.size), c.body)
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			eventually(t, "reader's error", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.cut != nil })
			if !errors.Is(k.cut, io.ErrUnexpectedEOF) || k.has("cut") {
				t.Errorf("kept: %t, its reader ended with %v, want %v", k.has("cut"), k.cut, io.ErrUnexpectedEOF)
			}
		})
	}
}

// TestEndedStreamIsNoWholeBody: an asker that ends its side in good order has
// cut the body all the same.
func TestEndedStreamIsNoWholeBody(t *testing.T) {
	for name, size := range map[string]int64{"known": 10, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			k := newKept()
			asker, _, answerer := pair(t, k, nil)
			x, err := NewClient(asker).open(within(t), answerer.ID())
			if err != nil {
				t.Fatal(err)
			}
			defer x.end()
			sendRaw(t, x, keepRequest(sampleCall("cut", size)), []byte("\x03abc"))
			if _, err := io.ReadAll(x.stream); !errors.Is(err, network.ErrReset) {
				t.Errorf("answered with %v, want a reset", err)
			}
			if !errors.Is(k.cut, io.ErrUnexpectedEOF) || k.has("cut") {
				t.Errorf("kept: %t, its reader ended with %v", k.has("cut"), k.cut)
			}
		})
	}
}

// full refuses without reading the body.
type full struct{ *kept }

func (full) Keep(context.Context, peer.ID, Call, io.Reader) error {
	return fmt.Errorf("keep the call: %w: 10000 calls wait", ErrFull)
}

// counted is an endless body.
type counted struct{ n atomic.Int64 }

func (c *counted) Read(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

func TestRefusalEndsTheUpload(t *testing.T) {
	asker, _, answerer := pair(t, full{newKept()}, nil)
	for _, size := range []int64{1 << 40, -1} {
		var body counted
		err := NewClient(asker).Keep(within(t), answerer.ID(), sampleCall("a", size), &body)
		if !errors.Is(err, ErrFull) {
			t.Fatalf("error %v, want %v", err, ErrFull)
		}
		if want := "keep call: keep the call: queue full: 10000 calls wait"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		if n := body.n.Load(); n > 64<<20 {
			t.Errorf("%d bytes were read of a body that nobody wants", n)
		}
	}
}

// forgetful says that it has kept what it has not read.
type forgetful struct{ *kept }

func (forgetful) Keep(_ context.Context, _ peer.ID, _ Call, body io.Reader) error {
	_, err := body.Read(make([]byte, 2))
	return err
}

func TestUnreadBodyIsNotKept(t *testing.T) {
	asker, _, answerer := pair(t, forgetful{newKept()}, nil)
	for _, size := range []int64{5, -1} {
		err := NewClient(asker).Keep(within(t), answerer.ID(), sampleCall("a", size), bytes.NewReader(pattern(5)))
		if !errors.Is(err, ErrInternal) {
			t.Errorf("size %d: error %v, want %v", size, err, ErrInternal)
		}
	}
}

// TestManyAtOnce is of more exchanges than a Server lets one peer have.
func TestManyAtOnce(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	c := NewClient(asker)
	const n = 5 * perPeer
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			if err := c.Keep(within(t), answerer.ID(), sampleCall(fmt.Sprint(i), 1000), bytes.NewReader(pattern(1000))); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if len(k.calls) != n {
		t.Errorf("%d calls kept of %d", len(k.calls), n)
	}
	if len(c.turns.peers) != 0 {
		t.Errorf("turns of %d peers are kept though nobody asks them", len(c.turns.peers))
	}
}

func TestCloseEndsAnUpload(t *testing.T) {
	k := newKept()
	asker, s, answerer := pair(t, k, nil)
	r, w := io.Pipe()
	kept := make(chan error, 1)
	go func() { kept <- NewClient(asker).Keep(within(t), answerer.ID(), sampleCall("a", -1), r) }()
	if _, err := w.Write(pattern(1000)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		for { // until the asker notices
			if _, err := w.Write(pattern(1000)); err != nil {
				return
			}
		}
	}()
	err := <-kept
	_ = r.Close()
	if err == nil || k.has("a") {
		t.Errorf("kept: %t, error %v, want one", k.has("a"), err)
	}
}

func TestContextEndsAnUpload(t *testing.T) {
	asker, _, answerer := pair(t, slow{newKept()}, nil)
	ctx, cancel := context.WithTimeout(within(t), 50*time.Millisecond)
	defer cancel()
	var body counted
	err := NewClient(asker).Keep(ctx, answerer.ID(), sampleCall("a", 1<<40), &body)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
	}
}

// slow reads nothing until the stream is gone.
type slow struct{ *kept }

func (slow) Keep(ctx context.Context, _ peer.ID, _ Call, body io.Reader) error {
	for {
		if _, err := body.Read(make([]byte, 1)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

package httpcall_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

// watchedContext can be watched by one at a time.
type watchedContext struct {
	context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	watcher interface{ Interrupt() } // nil: nobody watches
	watched int
}

func newWatched(t testing.TB) *watchedContext {
	c := new(watchedContext)
	c.Context, c.cancel = context.WithCancel(t.Context())
	t.Cleanup(c.cancel)
	return c
}

func (c *watchedContext) Watch(w interface{ Interrupt() }) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watcher = w
	c.watched++
}

func (c *watchedContext) Unwatch(w interface{ Interrupt() }) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.watcher == w
	c.watcher = nil
	return was
}

func (c *watchedContext) end() {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watcher != nil {
		c.watcher.Interrupt()
		c.watcher = nil
	}
}

func TestWatchedContextEndsItsCall(t *testing.T) {
	gone := make(chan bool, 1)
	s := listen(t, func(_ int, p *peer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		_, _ = p.r.ReadByte()
		gone <- true
	})
	ctx := newWatched(t)
	resp, err := s.client(t).Do(ctx, request("GET"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ctx.end()
	if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, context.Canceled) || errors.Is(err, faas.ErrNotStarted) {
		t.Errorf("error %v", err)
	}
	<-gone
}

// A connection that is kept is watched no more: the end of an old context must not
// close it under the next call.
func TestWatchedContextLetsGo(t *testing.T) {
	var connections atomic.Int32
	s := listen(t, func(n int, p *peer) {
		connections.Store(int32(n + 1))
		for p.head() != "" {
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	c := s.client(t)
	for range 3 {
		ctx := newWatched(t)
		resp, err := c.Do(ctx, request("GET"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); string(b) != "ok" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		_ = resp.Body.Close()
		ctx.end()
		if ctx.watched != 1 {
			t.Errorf("watched %d times", ctx.watched)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want one", n)
	}
}

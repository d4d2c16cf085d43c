package invoke

import (
	"container/list"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// peerPool holds the streams to one peer. The Client's mu guards all of it.
type peerPool struct {
	idle []*outStream // the last one is used first: its windows are warm
	all  list.List    // of *outStream, the least recently used first
	line list.List    // of *waiter, first come first served; see also listen
	// counted is how many streams are open or being opened, without those that
	// have been busy for longer than StreamBusy: these are long.
	counted, long int

	hearing hearing
	reads   atomic.Uint64 // of all streams; see countedReader
}

// waiter waits in line.
type waiter struct{ granted chan grant }

// grant is a stream, or leave to open one, or why there is neither.
type grant struct {
	st  *outStream
	err error
}

func (c *Client) pool(p peer.ID) *peerPool {
	pl := c.peers[p]
	if pl == nil {
		pl = &peerPool{}
		c.peers[p] = pl
	}
	return pl
}

// acquire returns a kept stream, or a new one. The new one's errors wrap
// ErrNotReached; where there is no room in time it is an *Error.
func (c *Client) acquire(ctx context.Context, p peer.ID, now time.Time) (*outStream, error) {
	st, w, err := c.take(p, now)
	if err != nil {
		return nil, err
	}
	if w != nil {
		if st, err = c.wait(ctx, p, w); err != nil {
			return nil, err
		}
	}
	if st != nil {
		return st, nil
	}
	return c.open(ctx, p)
}

// take returns a kept stream, a place in the line, or neither: leave to open
// a stream.
func (c *Client) take(p peer.ID, now time.Time) (*outStream, *waiter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, errClosed
	}
	pl := c.pool(p)
	if st := pl.pop(); st != nil {
		pl.enter(st, now)
		c.owed(pl, now)
		return st, nil, nil
	}
	if pl.line.Len() == 0 && c.room(pl, now) {
		pl.counted++
		c.owed(pl, now)
		return nil, nil, nil
	}
	if pl.line.Len() >= maxLine {
		return nil, nil, &Error{Code: CodeRefused, Text: fmt.Sprintf(
			"%d invocations wait for a stream to %s already: send fewer at once, or spread them over more nodes", maxLine, p)}
	}
	w := &waiter{granted: make(chan grant, 1)}
	pl.line.PushBack(w)
	return nil, w, nil
}

// pop returns the idle stream used last whose connection still stands.
func (pl *peerPool) pop() *outStream {
	for n := len(pl.idle); n > 0; n = len(pl.idle) {
		st := pl.idle[n-1]
		pl.idle[n-1] = nil
		pl.idle = pl.idle[:n-1]
		if !st.stream.Conn().IsClosed() {
			return st
		}
		pl.counted--
		pl.all.Remove(st.place)
		go st.discard(CodeCancelled) // not under the lock; ends at once
	}
	return nil
}

func (pl *peerPool) enter(st *outStream, now time.Time) {
	st.since = now
	if st.place == nil {
		st.place = pl.all.PushBack(st)
		st.src.r = countedReader{st.stream, pl}
	}
	pl.all.MoveToBack(st.place)
}

// room tells whether one more stream may be open, after it has let out of the
// count those that are busy for long. None is idle when it is called.
func (c *Client) room(pl *peerPool, now time.Time) bool {
	for e := pl.all.Front(); e != nil && pl.counted >= c.cfg.Streams; e = e.Next() {
		st := e.Value.(*outStream)
		if now.Sub(st.since) < c.cfg.StreamBusy {
			break
		}
		if !st.long {
			st.long = true
			pl.counted--
			pl.long++
		}
	}
	return pl.counted < c.cfg.Streams && pl.counted+pl.long < c.cfg.StreamsMax
}

// wait stands in line until a stream is granted or ctx ends.
func (c *Client) wait(ctx context.Context, p peer.ID, w *waiter) (*outStream, error) {
	select {
	case g := <-w.granted:
		return g.st, g.err
	case <-ctx.Done():
		return nil, c.leaveLine(ctx, p, w)
	}
}

func (c *Client) leaveLine(ctx context.Context, p peer.ID, w *waiter) error {
	c.mu.Lock()
	pl := c.pool(p)
	for e := pl.line.Front(); e != nil; e = e.Next() {
		if e.Value.(*waiter) == w {
			pl.line.Remove(e)
			break
		}
	}
	open := pl.counted + pl.long
	c.mu.Unlock()
	select {
	case g := <-w.granted: // it came at the same time
		c.giveBack(p, g)
	default:
	}
	return &Error{Code: CodeRefused, Err: context.Cause(ctx), Text: fmt.Sprintf(
		"all %d streams to %s were busy until the end of the wait: try another node, or later", open, p)}
}

func (c *Client) giveBack(p peer.ID, g grant) {
	switch {
	case g.err != nil:
	case g.st == nil:
		c.unslot(p)
	default:
		c.release(g.st, true)
	}
}

// serveLine grants what there is to those who came first; it needs mu.
func (c *Client) serveLine(pl *peerPool, now time.Time) {
	for pl.line.Len() > 0 {
		st := pl.pop()
		if st == nil && !c.room(pl, now) {
			return
		}
		if st == nil {
			pl.counted++
		} else {
			pl.enter(st, now)
		}
		pl.line.Remove(pl.line.Front()).(*waiter).granted <- grant{st: st}
	}
}

// dissolve ends the line; it needs mu.
func (pl *peerPool) dissolve() {
	for pl.line.Len() > 0 {
		pl.line.Remove(pl.line.Front()).(*waiter).granted <- grant{err: errClosed}
	}
}

// unslot gives back leave to open a stream.
func (c *Client) unslot(p peer.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pl := c.pool(p)
	pl.counted--
	c.serveLine(pl, time.Now())
}

// open opens a stream, for which there is leave.
func (c *Client) open(ctx context.Context, p peer.ID) (*outStream, error) {
	st, err := c.dial(ctx, p)
	if err != nil {
		c.unslot(p)
		return nil, err
	}
	c.mu.Lock()
	c.pool(p).enter(st, time.Now())
	closed := c.closed
	c.mu.Unlock()
	if closed {
		c.release(st, false)
		return nil, errClosed
	}
	return st, nil
}

func (c *Client) dial(ctx context.Context, p peer.ID) (*outStream, error) {
	if c.cfg.NoDial {
		ctx = network.WithNoDial(ctx, "invoke")
	}
	s, err := c.host.NewStream(ctx, p, ID)
	if err != nil {
		return nil, fmt.Errorf("open stream to %s: %w: %w", p, ErrNotReached, err)
	}
	if err := s.Scope().SetService(ServiceName); err != nil {
		_ = s.ResetWithError(network.StreamErrorCode(CodeCancelled))
		return nil, fmt.Errorf("open stream to %s: %w: %w", p, ErrNotReached, err)
	}
	return newOutStream(p, s), nil
}

// release takes st back: to keep it, or to end it.
func (c *Client) release(st *outStream, keep bool) {
	now := time.Now()
	c.mu.Lock()
	pl := c.pool(st.peer)
	if st.long {
		pl.long--
	} else {
		pl.counted--
	}
	st.long = false
	keep = keep && !c.closed && pl.counted < c.cfg.Streams
	if keep {
		pl.counted++
		st.since = now
		pl.idle = append(pl.idle, st)
		c.reapLater()
	} else {
		pl.all.Remove(st.place)
	}
	c.serveLine(pl, now)
	c.mu.Unlock()
	if !keep {
		st.discard(CodeCancelled)
	}
}

// reapLater sees to it that reap will run; it needs mu.
func (c *Client) reapLater() {
	if !c.reaping {
		c.reaping = true
		c.reaper.Reset(c.cfg.StreamIdle)
	}
}

// reap closes what has been idle for StreamIdle, and forgets peers to which
// nothing is open.
func (c *Client) reap() {
	var old []*outStream
	next := time.Duration(-1)
	now := time.Now()
	c.mu.Lock()
	for p, pl := range c.peers {
		old = pl.cutIdle(old, now.Add(-c.cfg.StreamIdle))
		if len(pl.idle) > 0 {
			left := c.cfg.StreamIdle - now.Sub(pl.idle[0].since)
			if next < 0 || left < next {
				next = left
			}
		}
		if pl.counted+pl.long+pl.line.Len() == 0 {
			delete(c.peers, p)
		}
	}
	c.reaping = next >= 0 && !c.closed
	if c.reaping {
		c.reaper.Reset(max(next, time.Millisecond))
	}
	c.mu.Unlock()
	for _, st := range old {
		st.close()
	}
}

// cutIdle moves streams that are idle since before then to old. The order of
// idle is that of their release.
func (pl *peerPool) cutIdle(old []*outStream, then time.Time) []*outStream {
	n := 0
	for n < len(pl.idle) && !pl.idle[n].since.After(then) {
		n++
	}
	for _, st := range pl.idle[:n] {
		pl.all.Remove(st.place)
		old = append(old, st)
	}
	pl.idle = append(pl.idle[:0], pl.idle[n:]...)
	pl.counted -= n
	return old
}

package invoke

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// errClosed: the Client is closed.
var errClosed = fmt.Errorf("invoke client is closed: %w", ErrNotReached)

// Client sends invocations to peers over kept streams.
type Client struct {
	host host.Host
	cfg  Config
	life context.Context // ends with Close
	die  context.CancelFunc
	// senders are the goroutines that send bodies, and those that linger.
	senders  sync.WaitGroup
	reaper   *time.Timer
	listener *time.Timer // see listen

	mu      sync.Mutex
	peers   map[peer.ID]*peerPool // guarded by mu
	closed  bool                  // guarded by mu
	reaping bool                  // the reaper is set, guarded by mu

	listening bool // the listener is set, guarded by mu
	silenced  int  // peers given up, guarded by mu
}

// NewClient makes a Client that opens streams from h.
func NewClient(h host.Host, cfg Config) *Client {
	c := &Client{
		host:  h,
		cfg:   cfg.withDefaults(),
		peers: make(map[peer.ID]*peerPool),
	}
	c.life, c.die = context.WithCancel(context.Background())
	c.reaper = time.AfterFunc(time.Hour, c.reap)
	c.reaper.Stop()
	c.listener = time.AfterFunc(time.Hour, c.listen)
	c.listener.Stop()
	return c
}

// Close ends all streams, those of running invocations too, and waits until no
// body is read any more.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.die()
	c.reaper.Stop()
	c.listener.Stop()
	var idle, busy []*outStream
	for _, pl := range c.peers {
		pl.dissolve()
		idle = pl.cutIdle(idle, time.Now())
		for e := pl.all.Front(); e != nil; e = e.Next() {
			busy = append(busy, e.Value.(*outStream))
		}
	}
	c.mu.Unlock()
	for _, st := range idle {
		st.close()
	}
	for _, st := range busy {
		_ = st.stream.ResetWithError(network.StreamErrorCode(CodeCancelled))
	}
	c.senders.Wait()
	return nil
}

// Invoke is Open and Wait.
func (c *Client) Invoke(ctx context.Context, p peer.ID, r *Request) (*Answer, error) {
	x, err := c.Open(ctx, p, r)
	if err != nil {
		return nil, err
	}
	return x.Wait(nil)
}

// Open sends the request to p and returns once its header, with as much of the
// body as fits the first write, is written. The caller then MUST call Wait or
// Cancel. ctx governs the invocation up to the end of the answer's body.
//
// Errors wrap ErrNotReached if no byte was sent, and are an *Error otherwise.
func (c *Client) Open(ctx context.Context, p peer.ID, r *Request) (*Exchange, error) {
	begun := time.Now()
	if err := checkRequest(r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("invoke %s: %w: %w", r.Function, ErrNotReached, context.Cause(ctx))
	}
	st, err := c.acquire(ctx, p, begun)
	if err != nil {
		return nil, err
	}
	x := newExchange(ctx, c, st, r, begun)
	if err := x.begin(); err != nil {
		return nil, err
	}
	return x, nil
}

// checkRequest returns nothing but a nil interface for a good request.
func checkRequest(r *Request) error {
	if e := r.check(); e != nil {
		return e
	}
	if len(r.Hops) > maxHops {
		return &Error{Code: CodeLoop, Text: fmt.Sprintf("the invocation has passed %d nodes, at most %d are allowed", len(r.Hops), maxHops)}
	}
	if r.Size != 0 && r.Body == nil {
		return bad("a body of size %d is announced, and none is given", r.Size)
	}
	return nil
}

// fresh opens a stream in the place of old, which turned out to be dead before
// anything was sent over it.
func (c *Client) fresh(ctx context.Context, old *outStream) (*outStream, error) {
	st, err := c.dial(ctx, old.peer)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	st.since, st.long, st.place = old.since, old.long, old.place
	st.place.Value = st
	st.src.r = countedReader{st.stream, c.pool(st.peer)}
	closed := c.closed
	c.mu.Unlock()
	old.discard(CodeCancelled)
	if closed {
		st.discard(CodeCancelled)
		return nil, errClosed
	}
	return st, nil
}

// fill is this node's news.
func (c *Client) fill(n *load.News) *load.News {
	if c.cfg.News == nil {
		return nil
	}
	c.cfg.News.Fill(n)
	return n
}

// hear tells the sink what a frame from st said of loads.
func (c *Client) hear(st *outStream) {
	if c.cfg.Heard != nil && (st.heard.Has || len(st.heard.Others) > 0) {
		c.cfg.Heard.Hear(st.peer, &st.heard)
	}
}

// timeLeft is the time until the request's deadline, or the context's if that
// is earlier; 0 for none.
func (x *Exchange) timeLeft() (time.Duration, error) {
	left := x.req.Deadline
	t, limited := x.ctx.Deadline()
	if left <= 0 && !limited {
		return 0, nil
	}
	now := time.Now()
	if left > 0 {
		left -= now.Sub(x.begun)
		if left <= 0 {
			return 0, errLate
		}
	}
	if limited {
		byCtx := t.Sub(now)
		if byCtx <= 0 {
			return 0, errLate
		}
		if left == 0 || byCtx < left {
			left = byCtx
		}
	}
	return left, nil
}

var errLate = errors.New("deadline passed before the request could be sent")

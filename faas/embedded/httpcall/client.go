package httpcall

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Config bounds what a Client keeps.
type Config struct {
	// MaxIdle is the number of idle connections kept. Default 64.
	MaxIdle int
	// IdleTimeout closes a connection that was not used for so long. Default 30 s.
	IdleTimeout time.Duration
	// DialTimeout bounds connecting. Default 5 s: the function is on this
	// machine or its network.
	DialTimeout time.Duration
	// Dial connects, where that takes more than TCP (TLS). Default nil: a TCP
	// connection within DialTimeout. Whether a connection that is not one of the
	// operating system's is still alive cannot be seen, so none is kept.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Default is the Config for a function on this machine.
func Default() Config {
	return Config{MaxIdle: 64, IdleTimeout: 30 * time.Second, DialTimeout: 5 * time.Second}
}

// Client calls the function at one address. It is safe for concurrent use; the
// number of connections is that of the calls under way.
type Client struct {
	addr   string
	cfg    Config
	chunks sync.Pool // *[]byte of uploadBuffer bytes

	mu     sync.Mutex // guards what follows; never held across I/O
	idle   []*conn    // the most recently used last
	sweep  *time.Timer
	closed bool
}

// New returns a Client for addr, "host:port". It connects at the first call.
func New(addr string, cfg Config) *Client {
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: cfg.DialTimeout}).DialContext
	}
	c := &Client{addr: addr, cfg: cfg}
	c.chunks.New = func() any { b := make([]byte, uploadBuffer); return &b }
	return c
}

// Do sends r and returns when the answer's header is there. release, unless
// nil, is called exactly once: when Do fails, or else when the answer's Body
// or Conn is closed.
//
// An error wraps [faas.ErrNotStarted] if no byte reached the function.
func (c *Client) Do(ctx context.Context, r *faas.Request, release func()) (*faas.Response, error) {
	a, err := c.call(ctx, r)
	if err != nil {
		if release != nil {
			release()
		}
		return nil, err
	}
	a.release = release
	return &a.Response, nil
}

func (c *Client) call(ctx context.Context, r *faas.Request) (*answer, error) {
	if err := valid(r); err != nil {
		return nil, notStarted("check request", err)
	}
	if ctx.Err() != nil {
		return nil, notStarted("call function", context.Cause(ctx))
	}
	a := &answer{client: c, ctx: ctx}
	if err := a.join(); err != nil {
		return nil, err
	}
	return c.exchange(a, r)
}

// exchange sends r and reads the answer's header.
func (c *Client) exchange(a *answer, r *faas.Request) (*answer, error) {
	err := a.send(r)
	if err == nil {
		err = a.receive(r)
	}
	if err == nil {
		return a, nil
	}
	err = a.explain(err)
	_ = a.Close()
	return nil, err
}

// join gives the call a kept connection, or else a new one.
func (a *answer) join() error {
	cn := a.client.pop()
	if a.kept = cn != nil; a.kept {
		a.use(cn)
		return nil
	}
	return a.connect()
}

// connect gives the call a connection of its own.
func (a *answer) connect() error {
	nc, err := a.client.cfg.Dial(a.ctx, "tcp", a.client.addr)
	if err != nil {
		return notStarted("connect to function", err)
	}
	a.use(newConn(nc))
	return nil
}

// use makes cn the call's connection, which the end of its context closes.
func (a *answer) use(cn *conn) {
	a.conn = cn
	a.watch = watchEnd(a.ctx, cn)
}

// Close closes the idle connections, and those in use as their calls end.
func (c *Client) Close() error {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	if c.sweep != nil {
		c.sweep.Stop()
	}
	c.mu.Unlock()
	for _, cn := range idle {
		cn.close()
	}
	return nil
}

func notStarted(action string, err error) error {
	return fmt.Errorf("%s: %w: %w", action, faas.ErrNotStarted, err)
}

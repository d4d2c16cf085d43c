package path

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"github.com/p2pfaas/p2pfaas/examples/bench/frame"
)

// frames calls over kept TLS connections, one call at a time on each.
type frames struct {
	addr string
	conf *tls.Config

	mu   sync.Mutex
	idle []*framesConn
}

type framesConn struct {
	conn net.Conn
	r    *frame.Reader
	w    *frame.Writer
}

// Frames returns a client of raw TLS frames.
func Frames(addr string, trust *tls.Config) Client { return &frames{addr: addr, conf: trust} }

func (c *frames) Call(ctx context.Context, x *Exchange) error {
	conn, err := c.take(ctx)
	if err != nil {
		return err
	}
	if err := conn.call(x); err != nil {
		return errors.Join(err, conn.conn.Close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, conn)
	return nil
}

func (c *frames) take(ctx context.Context) (*framesConn, error) {
	c.mu.Lock()
	if last := len(c.idle) - 1; last >= 0 {
		conn := c.idle[last]
		c.idle = c.idle[:last]
		c.mu.Unlock()
		return conn, nil
	}
	c.mu.Unlock()
	conn, err := (&tls.Dialer{Config: c.conf}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	return &framesConn{conn: conn, r: frame.NewReader(conn), w: frame.NewWriter(conn)}, nil
}

func (c *framesConn) call(x *Exchange) error {
	if err := c.w.Send(int64(len(x.Body)), x.Reader()); err != nil {
		return err
	}
	if _, err := c.r.Next(); err != nil {
		return err
	}
	return x.CompareAll(c.r)
}

func (c *frames) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, conn := range c.idle {
		err = errors.Join(err, conn.conn.Close())
	}
	c.idle = nil
	return err
}

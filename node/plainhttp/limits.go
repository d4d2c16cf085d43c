package plainhttp

import (
	"errors"
	"net"
	"net/http"
	"time"
)

// bound limits the wait for a head, 0 for no limit.
func (c *conn) bound(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits.want = time.Time{}
	if d > 0 {
		c.limits.want = time.Now().Add(d)
	}
	_ = c.enforce() // fails only if the connection is closed, as the read will tell
}

// limit bounds reads of x's body.
func (c *conn) limit(x *exchange, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != x {
		return http.ErrBodyReadAfterClose
	}
	return c.bind(t)
}

// limitWrites bounds the writes of x's answer.
func (c *conn) limitWrites(x *exchange, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != x {
		return errOver
	}
	return c.tcp.SetWriteDeadline(t)
}

// read reads for a body.
func (c *conn) read(p []byte) (int, error) {
	if err := c.beginRead(); err != nil {
		return 0, err
	}
	n, err := c.sock.Read(p)
	c.endRead()
	if err != nil && !isTimeout(err) {
		c.lose()
	}
	return n, err
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// write writes all of p, which is small.
func (c *conn) write(p []byte) error {
	n, err := c.sock.TryWrite(p)
	if err == nil && n < len(p) {
		_, err = c.tcp.Write(p[n:])
	}
	return err
}

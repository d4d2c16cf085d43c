package plainhttp

import (
	"errors"
	"net"
	"net/http"
	"time"
)

// limits is what bounds a connection's reads.
type limits struct {
	reading bool      // a body
	want    time.Time // for reads of the body
	inForce time.Time // what the socket knows
}

// enforce is called with mu held.
func (c *conn) enforce() error {
	if c.limits.want.Equal(c.limits.inForce) {
		return nil
	}
	c.limits.inForce = c.limits.want
	return c.tcp.SetReadDeadline(c.limits.want)
}

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

// limit bounds reads of x's body. Those that need not wait for the client, as most
// do not, never see it: it takes effect when a read begins, or is under way.
func (c *conn) limit(x *exchange, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != x {
		return http.ErrBodyReadAfterClose
	}
	c.limits.want = t
	if !c.limits.reading {
		return nil
	}
	return c.enforce()
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

func (c *conn) beginRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits.reading = true
	return c.enforce()
}

func (c *conn) endRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits.reading = false
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

package plainhttp

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// watcher is told of a client's going on a goroutine of its own.
type watcher = interface{ Interrupt() }

// handed is a connection that an http.Server serves. That reads it all the time:
// requests, and while one is answered, whether the client is still there.
type handed struct {
	*net.TCPConn
	head []byte // read before, and not served; of Read alone

	mu      sync.Mutex // guards what follows
	reading bool
	limit   time.Time // of reads
	inForce time.Time // the limit that the socket knows
	gone    bool
	watcher watcher // nil for none
}

// Read implements net.Conn.
func (c *handed) Read(p []byte) (n int, err error) {
	if len(c.head) > 0 {
		n = copy(p, c.head)
		if c.head = c.head[n:]; len(c.head) == 0 {
			c.head = nil
		}
		return n, nil
	}
	if err = c.begin(); err == nil {
		n, err = c.TCPConn.Read(p)
	}
	c.end(err)
	return n, err
}

// WriteTo implements io.WriterTo, as the TCPConn does that knows nothing of Read.
func (c *handed) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

func (c *handed) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = true
	return c.enforce()
}

func (c *handed) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) { // by which the server ends a read of its own
		return
	}
	c.gone = true
	if c.watcher != nil {
		go c.watcher.Interrupt()
		c.watcher = nil
	}
}

// SetReadDeadline implements net.Conn. The server sets seven for a request, most
// of which no read ever sees: they take effect when one begins, or is under way.
func (c *handed) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = t
	if !c.reading {
		return nil
	}
	return c.enforce()
}

// SetDeadline implements net.Conn.
func (c *handed) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// enforce is called with mu held.
func (c *handed) enforce() error {
	if c.limit.Equal(c.inForce) {
		return nil
	}
	c.inForce = c.limit
	return c.TCPConn.SetReadDeadline(c.limit)
}

// Watch implements [Conn].
func (c *handed) Watch(w watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		go w.Interrupt()
		return
	}
	c.watcher = w
}

// Unwatch implements [Conn].
func (c *handed) Unwatch(w watcher) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watcher != w {
		return false
	}
	c.watcher = nil
	return true
}

// Gone implements [Conn].
func (c *handed) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

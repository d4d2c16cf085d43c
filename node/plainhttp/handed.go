package plainhttp

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// handed is a connection that an http.Server serves. That reads it all the time:
// requests, and while one is answered, whether the client is still there.
type handed struct {
	*net.TCPConn
	head []byte // read before, and not served; of Read alone
	client
}

func newHanded(tcp *net.TCPConn, head []byte) *handed {
	return &handed{TCPConn: tcp, head: head, client: client{tcp: tcp}}
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
	if err = c.beginRead(); err == nil {
		n, err = c.TCPConn.Read(p)
	}
	c.end(err)
	return n, err
}

// WriteTo implements io.WriterTo, as the TCPConn does that knows nothing of Read.
func (c *handed) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

func (c *handed) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits.reading = false
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // by which the server ends a read of its own
		c.goes()
	}
}

// SetReadDeadline implements net.Conn. The server sets seven for a request, most
// of which no read ever sees: they take effect when one begins, or is under way.
func (c *handed) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bind(t)
}

// SetDeadline implements net.Conn.
func (c *handed) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

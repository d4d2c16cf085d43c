package node

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// clientConns is a listener for HTTP whose connections tell when their clients
// go away; see [gateway.Conn]. It knows those over which nothing has come yet:
// clients open some in advance, and a server that shuts down would wait seconds
// for them.
type clientConns struct {
	*net.TCPListener

	mu     sync.Mutex
	unused map[*clientConn]bool
}

func newClientConns(l *net.TCPListener) *clientConns {
	return &clientConns{TCPListener: l, unused: make(map[*clientConn]bool)}
}

// Accept implements net.Listener.
func (l *clientConns) Accept() (net.Conn, error) {
	tcp, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	c := &clientConn{TCPConn: tcp, of: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unused[c] = true
	return c, nil
}

// closeUnused closes those over which nothing has come; l may be nil.
func (l *clientConns) closeUnused() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.unused {
		_ = c.TCPConn.Close()
	}
}

func (l *clientConns) forget(c *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.unused, c)
}

// clientConn is a connection of an HTTP/1 client. The server reads it all the
// time: requests, and while one is answered, whether the client is still there.
type clientConn struct {
	*net.TCPConn
	of   *clientConns
	used bool // something has come; of Read alone

	mu      sync.Mutex // guards what follows
	reading bool
	limit   time.Time // of reads
	inForce time.Time // the limit that the socket knows
	gone    bool
	watcher watcher // nil for none
}

// Read implements net.Conn.
func (c *clientConn) Read(p []byte) (n int, err error) {
	if err = c.begin(); err == nil {
		n, err = c.TCPConn.Read(p)
	}
	if !c.used {
		c.used = true
		c.of.forget(c)
	}
	c.end(err)
	return n, err
}

func (c *clientConn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = true
	return c.enforce()
}

func (c *clientConn) end(err error) {
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
func (c *clientConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = t
	if !c.reading {
		return nil
	}
	return c.enforce()
}

// SetDeadline implements net.Conn.
func (c *clientConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// enforce is called with mu held.
func (c *clientConn) enforce() error {
	if c.limit.Equal(c.inForce) {
		return nil
	}
	c.inForce = c.limit
	return c.TCPConn.SetReadDeadline(c.limit)
}

// Watch implements [gateway.Conn].
func (c *clientConn) Watch(w watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		go w.Interrupt()
		return
	}
	c.watcher = w
}

// Unwatch implements [gateway.Conn].
func (c *clientConn) Unwatch(w watcher) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watcher != w {
		return false
	}
	c.watcher = nil
	return true
}

// Gone implements [gateway.Conn].
func (c *clientConn) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

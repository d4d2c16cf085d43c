package plainhttp

import (
	"net"
	"sync"
	"time"
)

// watcher is told of a client's going on a goroutine of its own.
type watcher = interface{ Interrupt() }

// client is what a connection of either kind knows of the other side.
type client struct {
	tcp *net.TCPConn

	mu      sync.Mutex // guards what follows, and what its owner says
	limits  limits
	gone    bool
	watcher watcher // nil for none
}

// limits is what bounds reads. Most need not wait and never see it: it takes effect
// when a read begins, or is under way.
type limits struct {
	reading bool
	want    time.Time // for reads
	inForce time.Time // what the socket knows
}

// bind sets the limit of reads, with mu held.
func (c *client) bind(t time.Time) error {
	c.limits.want = t
	if !c.limits.reading {
		return nil
	}
	return c.enforce()
}

// enforce is called with mu held.
func (c *client) enforce() error {
	if c.limits.want.Equal(c.limits.inForce) {
		return nil
	}
	c.limits.inForce = c.limits.want
	return c.tcp.SetReadDeadline(c.limits.want)
}

func (c *client) beginRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits.reading = true
	return c.enforce()
}

func (c *client) endRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits.reading = false
}

// goes makes known that the client is gone. It is called with mu held.
func (c *client) goes() {
	c.gone = true
	if c.watcher != nil {
		go c.watcher.Interrupt()
		c.watcher = nil
	}
}

// Watch implements [Conn].
func (c *client) Watch(w watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		go w.Interrupt()
		return
	}
	c.watcher = w
}

// Unwatch implements [Conn].
func (c *client) Unwatch(w watcher) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watcher != w {
		return false
	}
	c.watcher = nil
	return true
}

// Gone implements [Conn].
func (c *client) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

package plainhttp

import (
	"syscall"
	"time"
)

// pollTime is how often it is looked whether the client of a long invocation is
// still there.
const pollTime = 50 * time.Millisecond

// poll is the timer for it. It is left to run from one request to the next: one
// that is as old as it costs nothing more.
type poll struct {
	timer *time.Timer
	runs  bool
	over  bool   // the connection is
	count uint64 // requests
	seen  uint64 // count when it rang last
}

// enter begins x.
func (c *conn) enter(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = x
	c.limits.want = time.Time{}
	_ = c.enforce()
	c.poll.count++
	if c.poll.runs {
		return
	}
	c.poll.runs = true
	if c.poll.timer == nil {
		c.poll.timer = time.AfterFunc(pollTime, c.ring)
		return
	}
	c.poll.timer.Reset(pollTime)
}

// leave ends x, and tells whether the client is still there.
func (c *conn) leave(x *exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = nil
	c.limits.want = time.Time{}
	_ = c.enforce()
	x.cancel()
	return !c.gone
}

// ring looks after a request that began before it rang last. If none runs, it looks
// for the end of a stream that came right behind its last request, since onReadable
// does not: nobody else would tell of it.
func (c *conn) ring() {
	if !c.isDue() {
		return
	}
	if c.look() == streamEnd {
		c.lose()
		_ = c.tcp.CloseRead() // has the goroutine that reads see it
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.poll.runs && !c.poll.over {
		c.poll.timer.Reset(pollTime)
	}
}

func (c *conn) isDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &c.poll
	switch {
	case p.over:
		return false
	case c.current == nil:
		p.runs = false
	case p.count != p.seen:
		p.seen = p.count
		p.timer.Reset(pollTime)
		return false
	}
	return true
}

func (c *conn) endPoll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.poll.over = true
	if c.poll.timer != nil {
		c.poll.timer.Stop()
	}
}

// sight is what there is to read.
type sight uint8

const (
	nothing sight = iota // yet
	something
	streamEnd
)

// look tells what is there without reading it.
func (c *conn) look() (seen sight) {
	_ = c.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case n > 0:
			seen = something
		case err != syscall.EAGAIN && err != syscall.EINTR:
			seen = streamEnd
		}
	})
	return seen
}

// lose makes known that the client is gone.
func (c *conn) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		c.current.cancel()
	}
	c.goes()
}

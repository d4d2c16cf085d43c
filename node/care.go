package node

import "sync"

// care counts the invocations that this node has to bring to their end: those
// that wait or run here, and those whose answers it passes on.
type care struct {
	mu       sync.Mutex
	open     int
	draining bool
	none     chan struct{} // closed when draining and nothing is open
}

func newCare() *care { return &care{none: make(chan struct{})} }

// take counts one more. A draining node takes none but the inner calls of what
// runs here, which could not end without them.
func (c *care) take(inner bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining && !inner {
		return draining()
	}
	c.open++
	return nil
}

// leave says that one has ended.
func (c *care) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	c.check()
}

// drain takes no more from peers; the channel is closed when all have ended.
func (c *care) drain() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	c.check()
	return c.none
}

// check is called with mu held.
func (c *care) check() {
	if !c.draining || c.open > 0 {
		return
	}
	select {
	case <-c.none:
	default:
		close(c.none)
	}
}

package httpcall

import "time"

// pop returns the most recently used connection, which may be dead by now, or nil.
func (c *Client) pop() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	cn := c.idle[last]
	c.idle[last] = nil
	c.idle = c.idle[:last]
	return cn
}

// put keeps cn for a later call.
func (c *Client) put(cn *conn) {
	cn.used = time.Now()
	cn.shrink()
	if !c.push(cn) {
		cn.close()
	}
}

func (c *Client) push(cn *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= c.cfg.MaxIdle {
		return false
	}
	c.idle = append(c.idle, cn)
	if c.sweep == nil {
		c.sweep = time.AfterFunc(c.cfg.IdleTimeout, c.closeOld)
	}
	return true
}

// closeOld closes what was idle for too long. It runs again only while there
// are idle connections, so that an unused Client holds no timer.
func (c *Client) closeOld() {
	for _, cn := range c.removeOld(time.Now()) {
		cn.close()
	}
}

func (c *Client) removeOld(now time.Time) []*conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.idle) && now.Sub(c.idle[n].used) >= c.cfg.IdleTimeout {
		n++
	}
	old := append([]*conn(nil), c.idle[:n]...)
	c.idle = append(c.idle[:0], c.idle[n:]...)
	c.sweep = nil
	if len(c.idle) > 0 && !c.closed {
		c.sweep = time.AfterFunc(c.cfg.IdleTimeout-now.Sub(c.idle[0].used), c.closeOld)
	}
	return old
}

package invoke

// Stats is what a Client has open now, for metrics.
type Stats struct {
	Streams int // kept streams, busy or not
	Busy    int // of which an invocation has one, or is opening one
	Waiting int // invocations that wait for a stream
	Silent  int // peers given up so far because they had gone silent
}

// Stats counts.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{Silent: c.silenced}
	for _, pl := range c.peers {
		s.Streams += pl.counted + pl.long
		s.Busy += pl.busy()
		s.Waiting += pl.line.Len()
	}
	return s
}

package socket

import "errors"

// ErrNotQuiet means that the other side has closed the connection, or has spoken
// without having been asked.
var ErrNotQuiet = errors.New("connection is not quiet")

// Ask writes p, waits for an answer and reads the beginning of it: a look whether
// the connection is quiet, a write and a read for little more than half the price
// of the three. On a connection that is not quiet nothing is written.
//
// sent tells how much of p was written. If that is less than all of it, nothing was
// waited for: without an error the kernel takes no more at once.
func (c *Conn) Ask(p, answer []byte) (sent, got int, err error) {
	c.out, c.in = half{p: p}, half{p: answer}
	err = c.raw.Read(c.ask)
	sent, unsent := c.out.done(nil)
	got, err = c.in.done(err)
	if unsent != nil {
		err = unsent
	}
	return sent, got, err
}

// askOnce is called first once what arrived before is forgotten, and again when
// something has arrived since.
func (c *Conn) askOnce(fd uintptr) bool {
	if c.out.n > 0 {
		return c.readOnce(fd)
	}
	if !quiet(fd) {
		c.out.err = ErrNotQuiet
		return true
	}
	c.tryOnce(fd)
	return c.out.n < len(c.out.p)
}

// Quiet tells whether the connection is open and nothing waits to be read. Doubt
// counts as no.
func (c *Conn) Quiet() bool {
	c.in = half{}
	n, err := c.in.done(c.raw.Read(c.look))
	return err == nil && n > 0
}

func (c *Conn) lookOnce(fd uintptr) bool {
	if quiet(fd) {
		c.in.n = 1
	}
	return true
}

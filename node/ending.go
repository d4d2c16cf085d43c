package node

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// ending sees an answered invocation to its end, once.
type ending struct {
	inv  *invocation
	of   *dispatcher
	held *heldSlot // nil if it ran elsewhere
	done atomic.Bool
	body endingBody
	last time.Duration // when the last of the answer was there, 0 if it is not
}

// complete says that all of the answer is there: the function has nothing more to
// do, and what follows is its caller's time.
func (e *ending) complete(now time.Duration) {
	e.last = now
	e.leaveServer(now)
}

func (e *ending) leaveServer(now time.Duration) {
	if e.held != nil {
		e.held.release(now)
	}
}

// over is called with io.EOF for an answer that was read whole, with another
// error for one that broke off, and with nil if its reader did not want the rest.
func (e *ending) over(last error) {
	now := e.last
	if now == 0 {
		now = e.of.clock()
	}
	e.leaveServer(now)
	if e.done.Swap(true) {
		return
	}
	result := sched.Answered
	switch {
	case last == nil:
		result = sched.Cancelled
	case last != io.EOF && !errors.Is(last, io.EOF):
		result = sched.Failed
	}
	e.inv.at = now
	e.inv.metrics.end(e.inv, result, now-e.inv.received)
	e.of.records.ended(e.inv, result, 0)
	e.of.tell(e.inv, result)
	e.inv.end()
	e.of.care.leave()
}

// endingBody ends the invocation when its answer has been read or given up.
type endingBody struct {
	io.ReadCloser
	end  *ending
	left int64 // bytes to come; below 0 if it was never known
	last error
}

func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	switch {
	case err != nil:
		b.last = err
	case b.left == 0:
		b.last = io.EOF // a reader that knows the size needs not ask for more
	default:
		return n, nil
	}
	b.end.complete(b.end.of.clock()) // who has the answer may call again at once
	return n, err
}

func (b *endingBody) Close() error {
	err := b.ReadCloser.Close()
	if b.left == 0 && b.last == nil {
		b.last = io.EOF
	}
	b.end.over(b.last)
	return err
}

// Buffered is how much can be read without waiting, 0 if that is not known.
func (b *endingBody) Buffered() int {
	if k, ok := b.ReadCloser.(interface{ Buffered() int }); ok {
		return k.Buffered()
	}
	return 0
}

// endingConn ends the invocation when its upgraded connection closes.
type endingConn struct {
	invoke.Conn
	end *ending
}

func (c *endingConn) Close() error {
	err := c.Conn.Close()
	c.end.over(io.EOF)
	return err
}

// observe tells the policy of an invocation that got no answer.
func (d *dispatcher) observe(inv *invocation, e *invoke.Error) {
	result := sched.Failed
	switch {
	case e.Code == invoke.CodeCancelled:
		result = sched.Cancelled
	case e.Code == invoke.CodeExpired, e.Code == invoke.CodeDeadline:
		result = sched.Expired
	case e.Code.NotStarted():
		result = sched.Refused
	}
	d.records.ended(inv, result, e.Code)
	d.tell(inv, result)
}

// Package socket reads and writes connections of the operating system without
// telling Go's scheduler of each system call.
//
// The scheduler is told of system calls since they may block: when one lasts, the
// processor that its goroutine holds is given to others, and as long as that
// happens a thread looks every 20 µs for the next. On few cores that are busy it
// happens all the time, to calls that do not block but were interrupted, and it
// is a tenth of what passing on a small message costs. A call that never waits
// need not be told of.
//
// Usage:
//
//	if s := socket.Of(conn); s != nil {
//		conn = s
//	}
//
// Pitfalls: unlike with other connections only one goroutine at a time may read, by
// whatever method, and only one may call TryWrite. Ask counts as both. Errors are of
// type *[net.OpError], as those of package net.
package socket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// brief is the most that is read without telling the scheduler. To copy more takes
// too long.
const brief = 64 << 10

// Conn is a connection of the operating system.
type Conn struct {
	net.Conn
	raw     syscall.RawConn
	in, out half
	// Bound once: a closure for each call would be garbage.
	read, try, ask, look func(fd uintptr) bool
}

// half is what is done in one direction.
type half struct {
	p   []byte
	n   int
	err error
}

// Of returns c as a Conn, nil if it is not one of the operating system's.
func Of(c net.Conn) *Conn {
	sc, ok := c.(syscall.Conn)
	if !ok || !possible {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	s := &Conn{Conn: c, raw: raw}
	s.read, s.try, s.ask, s.look = s.readOnce, s.tryOnce, s.askOnce, s.lookOnce
	return s
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 || len(p) > brief {
		return c.Conn.Read(p)
	}
	c.in = half{p: p}
	return c.in.done(c.raw.Read(c.read))
}

// readOnce is false to be called again when there is something to read.
func (c *Conn) readOnce(fd uintptr) bool {
	n, err := receive(fd, c.in.p)
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != 0:
		c.in.err = c.failed("read", err)
	case n == 0:
		c.in.err = io.EOF
	default:
		c.in.n = n
	}
	return true
}

// TryWrite writes what the kernel takes of p at once, and does not wait for it to
// take more.
func (c *Conn) TryWrite(p []byte) (int, error) {
	c.out = half{p: p}
	return c.out.done(c.raw.Write(c.try))
}

func (c *Conn) tryOnce(fd uintptr) bool {
	n, err := send(fd, c.out.p)
	switch err {
	case 0:
		c.out.n = n
	case syscall.EAGAIN:
	default:
		c.out.err = c.failed("write", err)
	}
	return true
}

// done lets go of the caller's memory.
func (h *half) done(err error) (int, error) {
	h.p = nil
	if err == nil {
		err = h.err
	}
	return h.n, err
}

func (c *Conn) failed(op string, err syscall.Errno) error {
	local := c.LocalAddr()
	return &net.OpError{Op: op, Net: local.Network(), Source: local, Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}

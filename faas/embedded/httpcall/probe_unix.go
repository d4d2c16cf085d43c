//go:build unix

package httpcall

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// probe asks the kernel whether anything arrived on a connection, without
// reading it. Everything it needs is made once: asking allocates nothing.
type probe struct {
	raw   syscall.RawConn
	ask   func(fd uintptr) bool
	poll  [1]unix.PollFd
	ready int
	err   error
}

func (p *probe) init(nc net.Conn) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	p.raw, _ = sc.SyscallConn()
	p.ask = func(fd uintptr) bool {
		p.poll[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		p.ready, p.err = unix.Poll(p.poll[:], 0)
		return true
	}
}

// quiet is true if the connection is open and nothing waits to be read. Doubt
// (an interrupted call) counts as no: a new connection costs little.
func (p *probe) quiet(time.Time) bool {
	if p.raw == nil || p.raw.Read(p.ask) != nil {
		return false
	}
	return p.err == nil && p.ready == 0
}

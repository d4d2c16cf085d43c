//go:build unix

package mux

import (
	"net"
	"os"
	"syscall"
)

const canTry = true

// tryOnce writes what the kernel takes of p. It never asks to be called again
// once the socket is writable, so it does not wait.
func (s *Socket) tryOnce(fd uintptr) bool {
	n, err := syscall.Write(int(fd), s.p)
	for err == syscall.EINTR {
		n, err = syscall.Write(int(fd), s.p)
	}
	s.n = max(n, 0)
	if err != nil && err != syscall.EAGAIN {
		s.err = &net.OpError{Op: "write", Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: os.NewSyscallError("write", err)}
	}
	return true
}

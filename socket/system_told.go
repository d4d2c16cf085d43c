//go:build unix && !(linux && !race && !msan && !asan)

package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const possible = true

// Elsewhere system calls go through a library, and detectors of races have to see
// them: the scheduler is told. None of these waits either: Go's descriptors are set
// so.

func send(fd uintptr, p []byte) (int, syscall.Errno) { return again(syscall.Write, fd, p) }

func receive(fd uintptr, p []byte) (int, syscall.Errno) { return again(syscall.Read, fd, p) }

func again(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := call(int(fd), p)
	for err == syscall.EINTR {
		n, err = call(int(fd), p)
	}
	code, _ := err.(syscall.Errno) //nolint:errorlint // it is one, not wrapped
	return n, code
}

func quiet(fd uintptr) bool {
	poll := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll[:], 0)
	return err == nil && n == 0
}

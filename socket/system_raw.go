//go:build linux && !race && !msan && !asan

package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const possible = true

// What follows may be raw, since it never waits, whatever the descriptor is set to.

func send(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, err := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if err != syscall.EINTR {
			return int(n), err
		}
	}
}

func receive(fd uintptr, p []byte) (int, syscall.Errno) { return receiveWith(fd, p, 0) }

func receiveWith(fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, err := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			unix.MSG_DONTWAIT|flags, 0, 0)
		if err != syscall.EINTR {
			return int(n), err
		}
	}
}

func quiet(fd uintptr) bool {
	var one [1]byte
	_, err := receiveWith(fd, one[:], unix.MSG_PEEK)
	return err == syscall.EAGAIN
}

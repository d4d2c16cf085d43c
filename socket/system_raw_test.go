//go:build linux && !race && !msan && !asan

package socket_test

import (
	"net"
	"syscall"
	"testing"
)

// Even on a descriptor that waits, nothing does: it would hold a processor.
func TestNeverWaits(t *testing.T) {
	a, _ := pair(t)
	raw, err := a.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = syscall.SetNonblock(int(fd), false) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for p := make([]byte, 1<<20); ; {
		n, err := a.TryWrite(p)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if !a.Quiet() {
		t.Error("not quiet")
	}
}

//go:build linux

package lan

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespaces is where ip netns keeps them.
const namespaces = "/var/run/netns"

// inside calls fn on a thread that is in the namespace; goroutines that fn starts
// are not. Sockets and devices opened there belong to the namespace and may be
// used from anywhere.
func inside(namespace string, fn func() error) error {
	done := make(chan error, 1)
	go func() { // ends with fn, and its thread with it, since it stays locked
		runtime.LockOSThread()
		done <- enterAnd(namespace, fn)
	}()
	return <-done
}

func enterAnd(namespace string, fn func() error) error {
	file, err := os.Open(filepath.Join(namespaces, namespace))
	if err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	return fn()
}

// openTAP makes an Ethernet device in the namespace of the calling thread. It is
// there until the file is closed.
func openTAP(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make TAP device: %w", err)
	}
	return os.NewFile(uintptr(fd), "tap "+name), nil
}

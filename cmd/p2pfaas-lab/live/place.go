package live

import (
	"context"
	"net"
	"os/exec"
)

// place is where a node runs.
type place interface {
	// Command is a command that runs there.
	Command(name string, args ...string) *exec.Cmd
	// Dial and Listen are as if called there.
	Dial(ctx context.Context, network, addr string) (net.Conn, error)
	Listen(network, addr string) (net.Listener, error)
	// IP is where its neighbours reach it.
	IP() string
}

// places are those of all nodes.
type places interface {
	add(zone string) (place, error)
	// join is called once all are there.
	join()
	Close() error
}

// loopback is this machine, for all nodes.
type loopback struct{}

func (loopback) Command(name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }

func (loopback) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, addr)
}

func (loopback) Listen(network, addr string) (net.Listener, error) { return net.Listen(network, addr) }

func (loopback) IP() string { return "127.0.0.1" }

func (l loopback) add(string) (place, error) { return l, nil }

func (loopback) join() {}

func (loopback) Close() error { return nil }

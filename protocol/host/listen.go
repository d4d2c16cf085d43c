package host

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"

	"github.com/multiformats/go-multiaddr"
)

// portTries is how many free ports are tried: another process may take one
// between the look and the use.
const portTries = 10

// listener is the part of a swarm that listens. Its Listen would return errors
// that cannot be told apart.
type listener interface {
	AddListenAddr(multiaddr.Multiaddr) error
	ListenClose(...multiaddr.Multiaddr)
}

var errPortTaken = errors.New("port taken")

// listen opens what Config says.
func listen(l listener, c Config) error {
	if c.Client {
		return nil
	}
	if len(c.Listen) > 0 {
		return listenExactly(l, c.Listen)
	}
	port := c.Port
	for range portTries {
		err := errPortTaken
		if port > 0 && portFree(port) {
			err = listenAround(l, ListenOn(port))
		}
		if !errors.Is(err, errPortTaken) {
			return err
		}
		if port, err = freePort(); err != nil {
			return err
		}
	}
	return fmt.Errorf("listen: no port is free for both TCP and UDP after %d tries", portTries)
}

func listenExactly(l listener, addrs []multiaddr.Multiaddr) error {
	for _, a := range addrs {
		if err := l.AddListenAddr(a); err != nil {
			return fmt.Errorf("listen on %s: %w", a, err)
		}
	}
	return nil
}

// listenAround forgives an address that this machine does not have (IPv6), as
// long as there is one, but not one whose port is taken.
func listenAround(l listener, addrs []multiaddr.Multiaddr) error {
	var failed []error
	for _, a := range addrs {
		err := l.AddListenAddr(a)
		if errors.Is(err, syscall.EADDRINUSE) {
			l.ListenClose(addrs...)
			return errPortTaken
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("listen on %s: %w", a, err))
		}
	}
	if len(failed) == len(addrs) {
		return errors.Join(failed...)
	}
	return nil
}

// portFree looks by plain sockets, as one of libp2p's may share a port.
func portFree(port int) bool {
	addr := ":" + strconv.Itoa(port)
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}

// freePort is one that TCP and UDP can have.
func freePort() (int, error) {
	for range portTries {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			return 0, fmt.Errorf("look for a free port: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if l.Close() == nil && portFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("look for a free port: none is free for both TCP and UDP after %d tries", portTries)
}

// portOf is the port of the first of addrs that has one, TCP before UDP.
func portOf(addrs ...multiaddr.Multiaddr) int {
	for _, proto := range []int{multiaddr.P_TCP, multiaddr.P_UDP} {
		i := slices.IndexFunc(addrs, func(a multiaddr.Multiaddr) bool {
			_, err := a.ValueForProtocol(proto)
			return err == nil
		})
		if i < 0 {
			continue
		}
		s, _ := addrs[i].ValueForProtocol(proto)
		port, _ := strconv.Atoi(s) // a multiaddr's port is a number
		return port
	}
	return 0
}

package host

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// interfacesEvery is how often the machine's addresses are looked at.
const interfacesEvery = time.Second

// maxPast bounds the addresses that are remembered as this machine's own.
const maxPast = 1024

// interfaces knows the addresses of this machine, and those it had.
type interfaces struct {
	addrs func() ([]net.Addr, error)

	mu   sync.Mutex // guards past
	past map[string]bool
}

func newInterfaces(addrs func() ([]net.Addr, error)) *interfaces {
	i := &interfaces{addrs: addrs, past: make(map[string]bool)}
	i.look()
	return i
}

// watch calls changed whenever an address came or went, until ctx ends.
func (i *interfaces) watch(ctx context.Context, changed func()) {
	tick := time.NewTicker(interfacesEvery)
	defer tick.Stop()
	known := i.look()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := i.look(); !slices.Equal(now, known) {
			known = now
			changed()
		}
	}
}

// look returns the addresses, sorted.
func (i *interfaces) look() []string {
	addrs, err := i.addrs()
	if err != nil {
		return nil // a state like any other
	}
	all := make([]string, 0, len(addrs))
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.past) > maxPast {
		clear(i.past)
	}
	for _, a := range addrs {
		all = append(all, a.String())
		if n, ok := a.(*net.IPNet); ok {
			i.past[n.IP.String()] = true
		}
	}
	slices.Sort(all)
	return all
}

// has tells whether ip is this machine's now.
func (i *interfaces) has(ip net.IP) bool {
	return slices.ContainsFunc(i.look(), func(s string) bool {
		own, _, err := net.ParseCIDR(s)
		return err == nil && own.Equal(ip)
	})
}

// had tells whether ip is or was this machine's.
func (i *interfaces) had(ip net.IP) bool {
	i.look()
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.past[ip.String()]
}

// listenAddrs are the addresses that a network listens on now. Its own
// InterfaceListenAddresses may be a minute old.
func listenAddrs(n network.Network) ([]multiaddr.Multiaddr, error) {
	listen := n.ListenAddresses()
	if len(listen) == 0 {
		return nil, nil
	}
	return manet.ResolveUnspecifiedAddresses(listen, nil)
}

// moved follows a change of the machine's addresses: connections from one that
// is gone would hang until somebody notices, here and at their other ends.
func (h *Host) moved() {
	log.Infow("network addresses of this machine have changed")
	if h.discovery != nil {
		h.discovery.restart()
	}
	for _, c := range h.host.Network().Conns() {
		h.try(c)
	}
	h.dialler.hurry()
}

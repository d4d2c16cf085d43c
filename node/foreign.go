package node

import (
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/p2pfaas/p2pfaas/node/compat"
)

// foreign shows this node to package compat.
type foreign struct{ *Node }

// Self implements compat.Node.
func (f foreign) Self() peer.ID { return f.self }

// Scheduling implements compat.Node.
func (f foreign) Scheduling() compat.Scheduling {
	s := f.Node.Scheduling()
	return compat.Scheduling{Policy: s.Policy, Set: s.Set, Servers: s.Servers, Queue: s.Queue}
}

// SetScheduling implements compat.Node.
func (f foreign) SetScheduling(s compat.Scheduling) error {
	now := f.Node.Scheduling()
	now.Policy, now.Set, now.Servers, now.Queue = s.Policy, s.Set, s.Servers, s.Queue
	return f.Node.SetScheduling(now)
}

// Load implements compat.Node.
func (f foreign) Load() (running, queued, servers int) {
	l := f.dispatcher.slots.load()
	return l.Running, l.Queued, l.Servers
}

// IP implements compat.Node.
func (f foreign) IP(p peer.ID) string {
	if p == f.self {
		for _, a := range f.host.Addrs() {
			if ip := ipOf(a); ip != "" {
				return ip
			}
		}
		return ""
	}
	for _, c := range f.host.Libp2p().Network().ConnsToPeer(p) {
		if ip := ipOf(c.RemoteMultiaddr()); ip != "" {
			return ip
		}
	}
	return ""
}

// Peer implements compat.Node.
func (f foreign) Peer(ip string) (peer.ID, bool) {
	for _, c := range f.host.Libp2p().Network().Conns() {
		if ipOf(c.RemoteMultiaddr()) == ip {
			return c.RemotePeer(), true
		}
	}
	return "", false
}

// ipOf is the IP address in a, "" if there is none.
func ipOf(a multiaddr.Multiaddr) string {
	ip, err := manet.ToIP(a)
	if err != nil {
		return ""
	}
	return ip.String()
}

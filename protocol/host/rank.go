package host

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	// quicDelay is how long QUIC waits for TCP: about the time of a connection
	// on a LAN. TCP comes first since it needs a half to a third of the CPU.
	quicDelay = 150 * time.Millisecond
	// publicDelay is how long public addresses wait for private ones: a peer of
	// an open mesh is a member on private addresses only.
	publicDelay = 500 * time.Millisecond
	// nextDelay lies between two addresses of the same kind, so that a peer with
	// many does not get as many connections.
	nextDelay = 20 * time.Millisecond
)

// rank orders the dials to one peer: private addresses before public ones, TCP
// before QUIC, IPv4 before IPv6.
func rank(addrs []multiaddr.Multiaddr) []network.AddrDelay {
	anyPrivate := slices.ContainsFunc(addrs, isLocal)
	anyTCP := slices.ContainsFunc(addrs, isTCP)
	ranked := make([]network.AddrDelay, 0, len(addrs))
	for _, a := range addrs {
		var delay time.Duration
		if anyPrivate && !isLocal(a) {
			delay += publicDelay
		}
		if anyTCP && !isTCP(a) {
			delay += quicDelay
		}
		ranked = append(ranked, network.AddrDelay{Addr: a, Delay: delay})
	}
	slices.SortStableFunc(ranked, func(a, b network.AddrDelay) int {
		return int(a.Delay-b.Delay) + rankIP(a.Addr) - rankIP(b.Addr)
	})
	for i := range ranked {
		ranked[i].Delay += time.Duration(i) * nextDelay
	}
	return ranked
}

func isTCP(a multiaddr.Multiaddr) bool {
	_, err := a.ValueForProtocol(multiaddr.P_TCP)
	return err == nil
}

func rankIP(a multiaddr.Multiaddr) int {
	if _, err := a.ValueForProtocol(multiaddr.P_IP6); err == nil {
		return 1
	}
	return 0
}

// isLocal tells whether a is a private, link-local or loopback address. Unlike
// manet.IsPrivateAddr it believes no names: whoever answers DNS would decide.
func isLocal(a multiaddr.Multiaddr) bool {
	ip, err := manet.ToIP(a)
	if err != nil {
		return false
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	addr = addr.Unmap()
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast()
}

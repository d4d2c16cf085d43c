package host

import (
	"fmt"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// addrExample shows in errors what an address looks like.
const addrExample = "an address like /ip4/192.168.1.7/tcp/18081/p2p/12D3KooW… (a node prints its own when it starts)"

// ParseAddrInfo reads a peer's address with its ID, as --bootstrap and --peer
// take it.
func ParseAddrInfo(s string) (peer.AddrInfo, error) {
	s = strings.TrimSpace(s)
	a, err := multiaddr.NewMultiaddr(s)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("peer address %q: %w; want %s", s, err, addrExample)
	}
	if _, err := a.ValueForProtocol(multiaddr.P_P2P); err != nil {
		return peer.AddrInfo{}, fmt.Errorf("peer address %q: the peer ID (/p2p/…) at its end is missing; want %s", s, addrExample)
	}
	info, err := peer.AddrInfoFromP2pAddr(a)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("peer address %q: %w; want %s", s, err, addrExample)
	}
	if len(info.Addrs) == 0 {
		return peer.AddrInfo{}, fmt.Errorf("peer address %q: it has a peer ID but no address before it; want %s", s, addrExample)
	}
	return *info, nil
}

// ParseAddrInfos reads several addresses; those of one peer are put together.
func ParseAddrInfos(list []string) ([]peer.AddrInfo, error) {
	var all []multiaddr.Multiaddr
	for _, s := range list {
		info, err := ParseAddrInfo(s)
		if err != nil {
			return nil, err
		}
		addrs, err := peer.AddrInfoToP2pAddrs(&info)
		if err != nil {
			return nil, fmt.Errorf("peer address %q: %w", s, err)
		}
		all = append(all, addrs...)
	}
	return peer.AddrInfosFromP2pAddrs(all...)
}

package client

import (
	"github.com/libp2p/go-libp2p/core/peerstore"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// AddNode gives c one more node, to be asked last.
func AddNode(c *Client, addr string) {
	info, err := host.ParseAddrInfo(addr)
	if err != nil {
		panic(err)
	}
	c.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.PermanentAddrTTL)
	c.nodes.add(info.ID)
}

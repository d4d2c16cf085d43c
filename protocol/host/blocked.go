package host

import (
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// Blocked counts what the Limits have refused since the start.
type Blocked struct {
	Conns   uint64 // in all, or from one address
	Streams uint64 // in all, of one peer, or of one peer's protocol
	Memory  uint64 // reservations
}

// Blocked tells what the limits have refused.
func (h *Host) Blocked() Blocked {
	b := h.blocked
	return Blocked{Conns: b.conns.Load(), Streams: b.streams.Load(), Memory: b.memory.Load()}
}

// blocked hears from the resource manager. Unlike its trace, this costs nothing
// but for what is blocked.
type blocked struct {
	conns, streams, memory atomic.Uint64
}

func (b *blocked) BlockConn(network.Direction, bool)      {} // see countingManager
func (b *blocked) BlockPeer(peer.ID)                      { b.conns.Add(1) }
func (b *blocked) BlockStream(peer.ID, network.Direction) { b.streams.Add(1) }
func (b *blocked) BlockProtocol(protocol.ID)              { b.streams.Add(1) }
func (b *blocked) BlockProtocolPeer(protocol.ID, peer.ID) { b.streams.Add(1) }
func (b *blocked) BlockService(string)                    { b.streams.Add(1) }
func (b *blocked) BlockServicePeer(string, peer.ID)       { b.streams.Add(1) }
func (b *blocked) BlockMemory(int)                        { b.memory.Add(1) }
func (b *blocked) AllowConn(network.Direction, bool)      {}
func (b *blocked) AllowPeer(peer.ID)                      {}
func (b *blocked) AllowStream(peer.ID, network.Direction) {}
func (b *blocked) AllowProtocol(protocol.ID)              {}
func (b *blocked) AllowService(string)                    {}
func (b *blocked) AllowMemory(int)                        {}

// countingManager counts the connections that are blocked: the resource manager
// reports only some of them.
type countingManager struct {
	network.ResourceManager
	blocked *blocked
}

func (m countingManager) OpenConnection(dir network.Direction, usefd bool, endpoint multiaddr.Multiaddr) (network.ConnManagementScope, error) {
	c, err := m.ResourceManager.OpenConnection(dir, usefd, endpoint)
	if err != nil {
		m.blocked.conns.Add(1)
	}
	return c, err
}

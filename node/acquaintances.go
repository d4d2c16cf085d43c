package node

import (
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// maxAcquaintances bounds the nodes that are known by their short names.
const maxAcquaintances = 4096

// acquaintances are the nodes of the mesh that this one has met.
type acquaintances struct {
	store peerstore.Peerstore // knows those that were met before the start

	mu      sync.Mutex
	members []peer.ID // connected, sorted; replaced whole
	named   map[load.Key]peer.ID
}

func newAcquaintances(store peerstore.Peerstore) *acquaintances {
	return &acquaintances{store: store, named: map[load.Key]peer.ID{}}
}

// member is told of each member that comes or goes.
func (a *acquaintances) member(e host.Event) {
	if e.Member.Role != hello.Member {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i, is := slices.BinarySearch(a.members, e.Peer)
	switch {
	case e.Joined && !is:
		a.members = slices.Insert(slices.Clone(a.members), i, e.Peer)
	case !e.Joined && is:
		a.members = slices.Delete(slices.Clone(a.members), i, i+1)
	}
	if len(a.named) < maxAcquaintances {
		a.named[load.KeyOf(e.Peer)] = e.Peer
	}
}

// Members are the connected nodes. It must not be changed.
func (a *acquaintances) Members() []peer.ID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.members
}

// Named is the node of that short name.
func (a *acquaintances) Named(key load.Key) (peer.ID, bool) {
	a.mu.Lock()
	p, ok := a.named[key]
	a.mu.Unlock()
	if ok {
		return p, true
	}
	for _, p := range a.store.Peers() {
		if load.KeyOf(p) == key {
			return p, true
		}
	}
	return "", false
}

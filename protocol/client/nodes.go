package client

import (
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// nodes are the nodes to send to, the one to prefer first.
type nodes struct {
	mu  sync.Mutex
	ids []peer.ID
}

// order is the list of this moment, those that are connected first.
func (n *nodes) order(connected func(peer.ID) bool) []peer.ID {
	n.mu.Lock()
	ids := slices.Clone(n.ids)
	n.mu.Unlock()
	if !slices.ContainsFunc(ids, func(p peer.ID) bool { return !connected(p) }) {
		return ids
	}
	var near, far []peer.ID
	for _, p := range ids {
		if connected(p) {
			near = append(near, p)
		} else {
			far = append(far, p)
		}
	}
	return append(near, far...)
}

func (n *nodes) add(p peer.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.ids, p) {
		n.ids = append(n.ids, p)
	}
}

// demote puts p last: it failed.
func (n *nodes) demote(p peer.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.Index(n.ids, p); i >= 0 {
		n.ids = append(slices.Delete(n.ids, i, i+1), p)
	}
}

package client

import (
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// nodes are the nodes to send to, the one to prefer first.
type nodes struct {
	mu  sync.Mutex
	ids []peer.ID // never changed in place: others read it
}

// order is the list of this moment, to be read only. The first is connected, if
// any is.
func (n *nodes) order(connected func(peer.ID) bool) []peer.ID {
	n.mu.Lock()
	ids := n.ids
	n.mu.Unlock()
	if len(ids) == 0 || connected(ids[0]) {
		return ids
	}
	return nearFirst(ids, 0, connected)
}

// nearFirst is ids with the connected ones of those from index from on before the
// others.
func nearFirst(ids []peer.ID, from int, connected func(peer.ID) bool) []peer.ID {
	near := slices.Clone(ids[:from])
	var far []peer.ID
	for _, p := range ids[from:] {
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
		n.ids = append(slices.Clone(n.ids), p)
	}
}

// demote puts p last: it failed.
func (n *nodes) demote(p peer.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.Index(n.ids, p); i >= 0 {
		n.ids = append(slices.Delete(slices.Clone(n.ids), i, i+1), p)
	}
}

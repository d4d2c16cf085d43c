package node

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// explain has the policy in force tell what it has learned, of single peers of
// those in view; nil if it learns nothing, or has no words for it.
func (n *Node) explain() []sched.Explanation {
	var peers []peer.ID
	if n.dispatcher.mesh != nil {
		for _, neighbour := range n.dispatcher.mesh.All(nil) {
			peers = append(peers, neighbour.ID)
		}
	}
	return n.dispatcher.policy.explain(peers)
}

func (b *policyBox) explain(peers []peer.ID) []sched.Explanation {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.policy.(sched.Explainer); ok {
		return p.Explain(peers)
	}
	return nil
}

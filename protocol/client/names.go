package client

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// mostNames bounds how many names are kept: nodes tell who ran a function, and
// could tell anything.
const mostNames = 4096

// names are the texts of peer IDs, which take longer to make than a small
// invocation takes to encode.
type names struct {
	mu    sync.Mutex
	known map[peer.ID]string // guarded by mu
}

func (n *names) of(p peer.ID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.known[p]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= mostNames {
		n.known = make(map[peer.ID]string)
	}
	s := p.String()
	n.known[peer.ID([]byte(p))] = s // p may be a part of a whole header
	return s
}

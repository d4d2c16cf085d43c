package host

import (
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// complaints lets one log line through per peer and kind, so that a peer which
// comes back every few seconds does not fill the log.
type complaints struct {
	mu   sync.Mutex
	made map[complaint]bool // at most maxComplaints
}

type complaint struct {
	kind string
	peer peer.ID
}

const maxComplaints = 1024

func newComplaints() *complaints { return &complaints{made: make(map[complaint]bool)} }

// first tells whether there was none of that kind about p since it was settled.
func (c *complaints) first(kind string, p peer.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := complaint{kind, p}
	if c.made[key] {
		return false
	}
	if len(c.made) >= maxComplaints {
		clear(c.made) // many peers: begin anew rather than grow
	}
	c.made[key] = true
	return true
}

// settle forgets the complaints about p: the next one is news again.
func (c *complaints) settle(p peer.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.made {
		if key.peer == p {
			delete(c.made, key)
		}
	}
}

// cloned is called when our own peer ID was heard of. If that was elsewhere,
// another machine has our identity, which happens with copied SD cards: the two
// cannot see each other, and others take them for one.
func (h *Host) cloned(addrs []multiaddr.Multiaddr) {
	foreign := slices.DeleteFunc(slices.Clone(addrs), h.isOwn)
	if len(foreign) == 0 || !h.complaints.first("clone", h.ID()) {
		return
	}
	log.Errorw("another machine uses this node's identity, as after copying a disk: stop one of the two, remove identity.key from its data folder and start it again",
		"peer", h.ID(), "addr", foreign[0])
}

// isOwn tells whether an address belongs to this machine, on any port: a node
// that restarted is heard with its old one, and one that moved with its old address.
func (h *Host) isOwn(a multiaddr.Multiaddr) bool {
	ip, err := manet.ToIP(a)
	if err != nil || ip.IsLoopback() || ip.IsUnspecified() {
		return true // a name, or no address of anybody else
	}
	return h.interfaces.had(ip)
}

package rl

import "github.com/libp2p/go-libp2p/core/peer"

// The actions of the form table, as P2PFaaS numbers them; those from actionPeers on
// are peers. The form tiles has the peer drawn instead of those.
const (
	actionRefuse = iota
	actionHere
	actionProbe
	actionPeers
	actionDrawn = actionPeers
)

// columns give each peer an action of its own, which it keeps while it is in
// view or comes back soon: what was learned of one is never taken for another's. Who was
// not in view for many decisions may have to make room; its column then begins anew.
// Peers beyond that are no actions.
type columns struct {
	of    map[peer.ID]int
	peers [MaxActions]peer.ID
	seen  [MaxActions]uint64
	turn  uint64
}

// forgotten is after how many decisions without it a peer may lose its column.
const forgotten = 1000

func newColumns() columns { return columns{of: make(map[peer.ID]int)} }

// get is the action of a peer, false if there is none left for it. fresh tells
// that the column was another's before.
func (c *columns) get(id peer.ID) (action int, fresh, ok bool) {
	action, ok = c.of[id]
	if !ok {
		if action, ok = c.free(); !ok {
			return 0, false, false
		}
		fresh = c.peers[action] != ""
		delete(c.of, c.peers[action])
		c.of[id], c.peers[action] = action, id
	}
	c.seen[action] = c.turn
	return action, fresh, true
}

// free is a column that is nobody's any more.
func (c *columns) free() (action int, ok bool) {
	if len(c.of) < MaxActions-actionPeers {
		for i := actionPeers; i < MaxActions; i++ {
			if c.peers[i] == "" {
				return i, true
			}
		}
	}
	oldest := actionPeers
	for i := actionPeers; i < MaxActions; i++ {
		if c.seen[i] < c.seen[oldest] {
			oldest = i
		}
	}
	return oldest, c.turn-c.seen[oldest] > forgotten
}

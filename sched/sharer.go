package sched

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// MaxShared bounds, in bytes, what a [Sharer] says at once.
const MaxShared = 32 << 10

// Sharer is a [Policy] that may exchange what it has learned with its like on
// other nodes. Who drives it carries what is said; times are of the clock of [View].
type Sharer interface {
	Policy
	// Sharing tells whether this one wants to: it is a parameter, which does not change.
	Sharing() bool
	// Share is what others may know, from this node's own outcomes alone: what others
	// have said is never passed on. It is at most MaxShared bytes; nil if there is nothing.
	// It also forgets what has not been said again for too long: call it regularly.
	Share(now time.Duration) []byte
	// Absorb takes in what a peer said, of whom it must be certain that it did. It
	// replaces what that one said before. An error says why it was refused; nothing has
	// changed then.
	Absorb(from peer.ID, said []byte, now time.Duration) error
}

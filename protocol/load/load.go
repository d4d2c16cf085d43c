// Package load carries what nodes tell each other of how busy they are: the
// [Report] that rides on every message, the [Entry] about third parties, and
// the protocol /p2pfaas/load/1.0.0, by which one node asks another directly (a
// probe).
//
// It decides nothing: who believes which report, and for how long, is the
// business of whoever receives it.
package load

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// MaxEntries is how many third-party entries one message carries at most.
const MaxEntries = 8

// Report is a node's own account of how busy it is; see loadpb.Report.
type Report struct {
	// (Incarnation, Counter) orders the reports of one node.
	Incarnation uint64
	Counter     uint64
	// Age is how old the report was when it was sent; receivers add the time
	// since they received it, on their own clock.
	Age time.Duration
	// Wait is the time until a newcomer would start.
	Wait    time.Duration
	Running int
	Queued  int
	Servers int
	Speed   float64 // service times over nominal ones; 1 is nominal
	Rate    float64 // arrivals from outside, per second
	Out     float64 // forwards to others, per second
	// Functions is a digest of what the node runs; 0 is unknown.
	Functions uint64
	Draining  bool
}

// Newer tells whether r was made after o, both of the same node.
func (r *Report) Newer(o *Report) bool {
	if r.Incarnation != o.Incarnation {
		return r.Incarnation > o.Incarnation
	}
	return r.Counter > o.Counter
}

// Entry is what a node knows of a third one.
type Entry struct {
	Peer   Key
	Report Report
}

// Key is a short name of a peer in entries.
type Key uint64

// KeyOf is the first 8 bytes of SHA-256 over the peer ID's bytes, big endian.
func KeyOf(p peer.ID) Key {
	sum := sha256.Sum256([]byte(p))
	return Key(binary.BigEndian.Uint64(sum[:8]))
}

// News is what one message tells: its sender's report, if it sent one, and
// entries about others, the freshest first. A News that was received is only
// valid as long as the message it came with; copy what is kept.
type News struct {
	Sender Report
	Has    bool // whether Sender is set
	Others []Entry
}

// Source gives a node's own news, to be sent with a message. Fill appends to
// n.Others[:0], at most MaxEntries, and MUST be cheap: it is called for every
// message.
type Source interface{ Fill(n *News) }

// Sink hears the news that arrived from a peer. It MUST be cheap and not keep n.
type Sink interface{ Hear(from peer.ID, n *News) }

package control

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

const (
	maxWord  = 32  // bytes of a word
	maxLabel = 128 // bytes of a version, a policy, a function with its namespace
	mostN    = 1 << 20
)

// decoder reads the parts of a message; the first that breaks the protocol is
// its error.
type decoder struct{ err error }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrBadReply}, args...)...)
	}
}

// atMost checks the length of a list.
func (d *decoder) atMost(what string, n, most int) bool {
	if n > most {
		d.fail("%d %s, at most %d are allowed", n, what, most)
	}
	return n <= most
}

func (d *decoder) word(s string) string {
	if !isWord(s) {
		d.fail("%.40q is no word", s)
		return ""
	}
	return s
}

func isWord(s string) bool {
	if len(s) > maxWord {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// label is printable text of a bounded length.
func (d *decoder) label(s string) string {
	if len(s) > maxLabel || printable(s) != s {
		d.fail("%.40q: want at most %d printable characters", s, maxLabel)
		return ""
	}
	return s
}

func (d *decoder) callID(b []byte) string {
	if len(b) > MaxCallID {
		d.fail("call ID of %d bytes, at most %d are allowed", len(b), MaxCallID)
		return ""
	}
	return string(b)
}

// peer reads an ID; none is "".
func (d *decoder) peer(b []byte) peer.ID {
	if len(b) == 0 {
		return ""
	}
	id, err := peer.IDFromBytes(b)
	if err != nil || len(b) > maxLabel {
		d.fail("%d bytes that are no peer ID", len(b))
		return ""
	}
	return id
}

func (d *decoder) peers(list [][]byte, most int) []peer.ID {
	if len(list) == 0 || !d.atMost("peer IDs", len(list), most) {
		return nil
	}
	ids := make([]peer.ID, len(list))
	for i, b := range list {
		if ids[i] = d.peer(b); ids[i] == "" {
			d.fail("an empty peer ID")
		}
	}
	return ids
}

func (d *decoder) busy(m *controlpb.Busy) Busy {
	return Busy{
		Wait:    duration(m.GetWaitUs()),
		Running: count(m.GetRunning()),
		Queued:  count(m.GetQueued()),
		Servers: count(m.GetServers()),
	}
}

func (b *Busy) proto() *controlpb.Busy {
	return &controlpb.Busy{WaitUs: micros(b.Wait), Running: uint32(b.Running), Queued: uint32(b.Queued), Servers: uint32(b.Servers)}
}

func count(n uint32) int { return int(min(n, mostN)) }

// finite reads what is no number, which JSON cannot carry, as 0.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

func share(x float64) float64 { return min(max(finite(x), 0), 1) }

// tellable makes a label of what may hold anything.
func tellable(s string) string { return printable(strings.ToValidUTF8(s[:min(len(s), maxLabel)], "")) }

func raw(ids []peer.ID) [][]byte {
	if len(ids) == 0 {
		return nil
	}
	list := make([][]byte, len(ids))
	for i, id := range ids {
		list[i] = []byte(id)
	}
	return list
}

// ago is how long ago t was, and since when something that was d ago is.
func ago(t time.Time) time.Duration    { return max(0, time.Since(t)) }
func before(d time.Duration) time.Time { return time.Now().Add(-d) }

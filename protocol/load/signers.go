package load

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// maxSigners bounds the table; beyond it who was silent longest is forgotten.
	maxSigners = 16384
	// A signer may report once every rateGap, or rateGapsInPeriod times in our
	// own period if that is faster, and rateBurst times in a row.
	rateGap          = 250 * time.Millisecond
	rateGapsInPeriod = 4
	rateBurst        = 8
)

// signers remembers the newest report of each signer, to ignore older ones and
// those that come too fast. Safe for concurrent use.
type signers struct {
	mu    sync.Mutex // guards table
	table *simplelru.LRU[peer.ID, *signer]
}

type signer struct {
	last Report
	at   time.Time // when it came
	// spent is when the signer's burst will be free again: a token bucket kept
	// as one time (GCRA, ITU-T I.371).
	spent time.Time
}

func newSigners() *signers {
	table, err := simplelru.NewLRU[peer.ID, *signer](maxSigners, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &signers{table: table}
}

// accept tells whether r is newer than all before of that signer and in time:
// no faster than one every gap.
func (s *signers) accept(from peer.ID, r *Report, now time.Time, gap time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.table.Get(from)
	if !ok {
		s.table.Add(from, &signer{last: *r, at: now, spent: now.Add(gap)})
		return true
	}
	if !r.Newer(&known.last) || known.spent.Sub(now) > (rateBurst-1)*gap {
		return false
	}
	if known.spent.Before(now) {
		known.spent = now
	}
	known.last, known.at, known.spent = *r, now, known.spent.Add(gap)
	return true
}

// since counts those of whom a report was accepted since then.
func (s *signers) since(then time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.table.Values() {
		if !known.at.Before(then) {
			n++
		}
	}
	return n
}

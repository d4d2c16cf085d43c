package share

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"
)

const (
	// maxSigners bounds the table; beyond it who was silent longest is forgotten.
	maxSigners = 4096
	// A signer may speak periodGaps times in a period, as others may have another
	// one, and signerBurst times in a row.
	periodGaps  = 3
	signerBurst = 3
)

// signers remembers which statement was each signer's latest, to ignore older ones
// and those that come too fast. Safe for concurrent use.
type signers struct {
	gap   time.Duration
	mu    sync.Mutex // guards table
	table *simplelru.LRU[peer.ID, *signer]
}

type signer struct {
	last envelope // without its statement
	rate *rate.Limiter
}

func newSigners(gap time.Duration) *signers {
	table, err := simplelru.NewLRU[peer.ID, *signer](maxSigners, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &signers{gap: gap, table: table}
}

// accept tells whether e is newer than all before of that signer and not too fast.
func (s *signers) accept(from peer.ID, e *envelope, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.table.Get(from)
	if !ok {
		known = &signer{rate: rate.NewLimiter(rate.Every(s.gap), signerBurst)}
		s.table.Add(from, known)
	}
	if !e.newer(&known.last) || !known.rate.AllowN(now, 1) {
		return false
	}
	known.last = envelope{incarnation: e.incarnation, counter: e.counter}
	return true
}

package mesh

import (
	"cmp"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// nearer is how much nearer a member must be than a neighbour to take its
// place: a quarter, so that jitter does not swap them back and forth.
const nearer = 0.75

// applicant is a member that could be a neighbour.
type applicant struct {
	id        peer.ID
	rtt       time.Duration // 0: not measured yet
	neighbour bool          // it is one now
	joined    time.Duration
}

// distanceRank is what applicants are compared by: those whose distance is not
// known yet come last.
func (a *applicant) distanceRank() time.Duration {
	if a.rtt == 0 {
		return time.Duration(1<<63 - 1)
	}
	if a.neighbour {
		return time.Duration(nearer * float64(a.rtt))
	}
	return a.rtt
}

// choose picks at most most neighbours: all if there is room, else the nearest,
// and among equals who came first. It sorts its argument.
func choose(all []applicant, most int) []applicant {
	if len(all) <= most {
		return all
	}
	slices.SortFunc(all, func(a, b applicant) int {
		return cmp.Or(cmp.Compare(a.distanceRank(), b.distanceRank()),
			cmp.Compare(a.joined, b.joined), cmp.Compare(a.id, b.id))
	})
	return all[:most]
}

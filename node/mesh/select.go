package mesh

import (
	"cmp"
	"math/rand/v2"
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
	random    bool          // by chance
	useful    bool          // it shares a function with us, or was of use lately
	joined    time.Duration
	entered   time.Duration // the view, if it is in there
}

// distanceRank is what applicants are compared by: those whose distance is not
// known yet come last. Who is in view by chance has no advantage from it.
func (a *applicant) distanceRank() time.Duration {
	if a.rtt == 0 {
		return time.Duration(1<<63 - 1)
	}
	if a.neighbour && !a.random {
		return time.Duration(nearer * float64(a.rtt))
	}
	return a.rtt
}

// byUse orders applicants: useful ones first, then the nearest, and among equals
// who came first.
func byUse(a, b applicant) int {
	if a.useful != b.useful {
		if a.useful {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.distanceRank(), b.distanceRank()),
		cmp.Compare(a.joined, b.joined), cmp.Compare(a.id, b.id))
}

// choose picks at most most neighbours: all if there is room, else three
// quarters by use and distance, and one quarter by chance, which connects what
// distance would divide and finds who is useful. With swap, who has been there by
// chance for longest makes room for another. It sorts its argument, and sets who
// is there by chance in what it returns.
func choose(all []applicant, most int, swap bool, rnd *rand.Rand) []applicant {
	if len(all) <= most {
		for i := range all {
			all[i].random = false
		}
		return all
	}
	slices.SortFunc(all, byUse)
	near := most - most/4
	rest := all[near:]
	rnd.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	slices.SortStableFunc(rest, func(a, b applicant) int { return cmp.Compare(b.seniority(), a.seniority()) })
	if swap && most > near && rest[most-near-1].seniority() > 0 {
		leave(rest[:most-near+1])
	}
	for i := range most {
		all[i].random = i >= near
	}
	return all[:most]
}

// leave moves the one of longest standing to the end.
func leave(these []applicant) {
	oldest := 0
	for i := range these[:len(these)-1] {
		if these[i].entered < these[oldest].entered {
			oldest = i
		}
	}
	last := len(these) - 1
	these[oldest], these[last] = these[last], these[oldest]
}

// seniority is 1 for those who are in view by chance already, else 0.
func (a *applicant) seniority() int {
	if a.neighbour && a.random {
		return 1
	}
	return 0
}

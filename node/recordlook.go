package node

import (
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// keptCandidates is how many candidates of one decision are kept at most.
const keptCandidates = 9

// look keeps what the policy saw of the best candidates.
func (r *records) look(s *stepRecord, v *sched.View, q *sched.Request, d *sched.Decision) {
	var best bestOf
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		if len(q.Visited) > 0 && q.HasVisited(n.ID) {
			continue
		}
		s.inAll++
		if at := standing(n, d); best.count < len(best.kept) || at < best.kept[len(best.kept)-1].standing {
			best.add(i, at)
		}
	}
	for _, b := range best.kept[:best.count] {
		n := &v.Neighbours[b.index]
		r.lastCandidate++
		r.candidates[(r.lastCandidate-1)%uint64(len(r.candidates))] = candidateRecord{
			peer: n.ID, load: loadRecordOf(&n.Load), age: microsOf(n.Age(v.Now)), rtt: microsOf(n.RTT), ownSends: small16(n.OwnSends),
			health: percent(n.Health), honesty: percent(n.Honesty),
			chosen: b.standing < 0, probed: slices.Contains(q.Probed, n.ID),
		}
	}
	s.candidates, s.kept = r.lastCandidate, uint8(best.count)
}

func percent(x float64) uint8 { return uint8(100*min(max(x, 0), 1) + 0.5) }

// standing orders candidates: below 0 is the chosen one, else the sooner an
// invocation would start there, as far as can be told without its policy.
func standing(n *sched.Neighbour, d *sched.Decision) time.Duration {
	if n.ID == d.Peer || len(d.Probes) > 0 && slices.Contains(d.Probes, n.ID) {
		return -1
	}
	beyond := time.Duration(max(0, n.Queue()-n.Load.Servers)) * time.Millisecond
	return max(0, n.Load.Wait) + max(0, n.RTT) + beyond
}

// bestOf keeps the few of the least standing, in order.
type bestOf struct {
	kept  [keptCandidates]ranked
	count int
}

type ranked struct {
	standing time.Duration
	index    int
}

func (b *bestOf) add(index int, standing time.Duration) {
	if b.count == len(b.kept) {
		b.count-- // the last one goes
	}
	i := b.count
	for ; i > 0 && b.kept[i-1].standing > standing; i-- {
		b.kept[i] = b.kept[i-1]
	}
	b.kept[i] = ranked{standing, index}
	b.count++
}

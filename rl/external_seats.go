package rl

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// seats give peers the numbers by which a learner elsewhere knows them, from 0.
// A peer keeps its seat while it is in view and for a while after, so that neither
// somebody else's coming or going nor its own restart gives a number another
// meaning. A newcomer gets the lowest seat that nobody holds; if all are held, it gets
// none, and is reached by a probe or the default only.
type seats struct {
	most  int
	keep  time.Duration
	of    map[peer.ID]int
	taken []seat
}

// seat is who has it and was in view when. It has no peer before the first.
type seat struct {
	peer peer.ID
	seen time.Duration
}

func (s *seats) bind(settings *sched.Settings) {
	s.of = make(map[peer.ID]int)
	settings.Int(&s.most, "peers", 61, 1, 1024, "peers that have an action of their own; action 3 is the first of them")
	settings.Duration(&s.keep, "keep", 10*time.Minute, time.Second, 24*time.Hour, "how long a peer that is gone keeps its action")
}

// empty has the same bounds and nobody.
func (s *seats) empty() seats {
	return seats{most: s.most, keep: s.keep, of: make(map[peer.ID]int)}
}

// look seats whoever is in view.
func (s *seats) look(v *sched.View) {
	for i := range v.Neighbours {
		id := v.Neighbours[i].ID
		if number, ok := s.of[id]; ok {
			s.taken[number].seen = v.Now
		} else if id != v.Self.ID {
			s.seat(id, v.Now)
		}
	}
}

func (s *seats) seat(id peer.ID, now time.Duration) {
	number := s.vacant(now)
	switch {
	case number == s.most:
		return
	case number == len(s.taken):
		s.taken = append(s.taken, seat{})
	}
	delete(s.of, s.taken[number].peer)
	s.taken[number] = seat{peer: id, seen: now}
	s.of[id] = number
}

// vacant is the lowest seat that nobody holds, most if there is none.
func (s *seats) vacant(now time.Duration) int {
	for number := range s.taken {
		if now-s.taken[number].seen > s.keep {
			return number
		}
	}
	return len(s.taken)
}

// actions appends those of the seated peers to which the invocation may go.
func (s *seats) actions(list []int, v *sched.View, r *sched.Request) []int {
	for number := range s.taken {
		if mayTake(v, r, v.Neighbour(s.taken[number].peer)) {
			list = append(list, actionPeers+number)
		}
	}
	return list
}

// peer is whose the action is, "" if nobody's.
func (s *seats) peer(action int) peer.ID {
	if number := action - actionPeers; number < len(s.taken) {
		return s.taken[number].peer
	}
	return ""
}

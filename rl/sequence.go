package rl

// sequence puts rewards back in the order of their decisions, as a learner
// from transitions wants them. It does not wait for ever: once gap later ones are there, a
// missing one is given up. It lets go of them window at a time. Fixed memory.
type sequence struct {
	window, gap int
	entries     []step // a ring
	next        uint64 // the oldest that has not been let go
	ready       int    // rewarded ones from there on
	lost        uint64
	broken      bool // something was given up since the last that was let go
}

// step is one decision and its reward.
type step struct {
	id       uint64
	state    []float64
	action   int
	actions  Actions
	reward   float64
	rewarded bool
}

// sequenceSlack is how many decisions may be under way beyond the gap.
const sequenceSlack = 1 << 8

func newSequence(window, gap int) sequence {
	length := 1
	for length < gap+window+sequenceSlack {
		length *= 2
	}
	return sequence{window: window, gap: gap, entries: make([]step, length), next: 1}
}

// open enters a decision; ids count from 1, but may have gaps.
func (q *sequence) open(id uint64, state []float64, actions Actions, action int) {
	if id < q.next {
		return
	}
	if id >= q.next+uint64(len(q.entries)) {
		q.skipTo(id - uint64(len(q.entries)) + 1)
	}
	s := q.at(id)
	if s.id == id {
		return // told twice
	}
	s.id, s.action, s.actions, s.rewarded = id, action, actions, false
	s.state = append(s.state[:0], state...)
}

// close enters the reward of a decision; false if it is not known, or no longer.
func (q *sequence) close(id uint64, reward float64) bool {
	s := q.at(id)
	if id < q.next || s.id != id || s.rewarded {
		return false
	}
	s.reward, s.rewarded = reward, true
	q.ready++
	return true
}

// pop is the next one in order, nil if it is not time yet. joined tells that it
// follows directly on the one before. It is valid until the next call.
func (q *sequence) pop(draining bool) (s *step, joined bool) {
	if !draining && q.ready < q.window {
		return nil, false
	}
	for q.ready > 0 {
		s := q.at(q.next)
		if s.id == q.next && s.rewarded {
			q.next++
			q.ready--
			joined, q.broken = !q.broken, false
			return s, joined
		}
		if q.ready < q.gap {
			return nil, false
		}
		q.giveUp()
	}
	return nil, false
}

// giveUp goes on without the oldest.
func (q *sequence) giveUp() {
	q.next++
	q.lost++
	q.broken = true
}

// skipTo gives up what is older.
func (q *sequence) skipTo(id uint64) {
	for ; q.next < id && q.ready > 0; q.giveUp() {
		if s := q.at(q.next); s.id == q.next && s.rewarded {
			q.ready--
		}
	}
	if q.next < id {
		q.next, q.broken = id, true
	}
}

func (q *sequence) at(id uint64) *step { return &q.entries[id&uint64(len(q.entries)-1)] }

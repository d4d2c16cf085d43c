package sched

import "time"

// Offer is what a node that hands over work reckons for one waiting invocation
// at the asker, all from now on.
type Offer struct {
	// Start is until it could start there; Mean and Fast (10th percentile) how long it then
	// takes until its answer is back at this node.
	Start, Mean, Fast time.Duration
}

// Give takes out one for an asker to run (rule 7 of spread): the oldest that is
// expected to be on time there, else the oldest that could be with a fast
// service. reckon makes the offer for one that waits; false keeps it here.
func (q *Queue[T]) Give(now time.Duration, reckon func(item T, e *Entry) (Offer, bool)) (item T, ok bool) {
	q.retire(now)
	expected, possible := -1, -1
	for _, i := range q.line {
		s := &q.slots[i]
		offer, offered := reckon(s.item, &s.entry)
		if !offered {
			continue
		}
		left := s.entry.Deadline - now - offer.Start
		if s.entry.Deadline == 0 || offer.Mean <= left {
			expected = q.older(i, expected)
		}
		if s.entry.Deadline == 0 || offer.Fast <= left {
			possible = q.older(i, possible)
		}
	}
	if expected < 0 {
		expected = possible
	}
	if expected < 0 {
		return item, false
	}
	return q.take(expected), true
}

// older is a or b, whichever arrived first; b may be -1 for none.
func (q *Queue[T]) older(a, b int) int {
	if b < 0 || OrderFIFO.compare(&q.slots[a].entry, &q.slots[b].entry) < 0 {
		return a
	}
	return b
}

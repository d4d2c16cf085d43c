package rl

import "github.com/p2pfaas/p2pfaas/sched"

// lessons are those that the driver has yet to take. Where nobody takes them
// the oldest are lost. Fixed memory; the zero value is ready.
type lessons struct {
	ring        [64]sched.Lesson
	first, last uint64 // the next to take, and to add
	lost        uint64
}

func (l *lessons) add(step *sched.Step, reward float64) {
	if l.last-l.first == uint64(len(l.ring)) {
		l.first++
		l.lost++
	}
	entry := &l.ring[l.last%uint64(len(l.ring))]
	state := append(entry.State[:0], step.State...)
	entry.Step, entry.Reward = *step, reward
	entry.State = state
	l.last++
}

func (l *lessons) next() (sched.Lesson, bool) {
	if l.first == l.last {
		return sched.Lesson{}, false
	}
	entry := l.ring[l.first%uint64(len(l.ring))]
	l.first++
	return entry, true
}

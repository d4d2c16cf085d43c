package rl

import (
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// breaker stops asking who has failed several times in a row. After a pause one
// question goes out to see, and another after each further pause, until one
// is answered.
type breaker struct {
	most  int
	pause time.Duration

	failures int // in a row
	until    time.Duration
	opened   uint64
}

func (b *breaker) bind(s *sched.Settings) {
	s.Int(&b.most, "failures", 5, 1, 1000, "failures of the learner in a row after which it is not asked for a while")
	s.Duration(&b.pause, "pause", 5*time.Second, 100*time.Millisecond, time.Hour, "how long it is not asked then")
}

func (b *breaker) open() bool { return b.failures >= b.most }

// asks tells whether to ask now.
func (b *breaker) asks(now time.Duration) bool {
	if !b.open() {
		return true
	}
	if now < b.until {
		return false
	}
	b.until = now + b.pause // until this one's answer has closed it
	return true
}

// told takes in how a question went.
func (b *breaker) told(now time.Duration, ok bool) {
	if ok {
		b.failures = 0
		return
	}
	b.failures++
	if b.failures == b.most {
		b.opened++
		b.until = now + b.pause
	}
}

package mesh

import "time"

const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// healthGain is how much of its health one outcome decides: after a failure
	// it takes about ten successes to be well again.
	healthGain = 0.2
)

// breaker keeps work from a failing neighbour: for 1 s after the first failure,
// and twice as long after each that follows, up to 30 s. After a pause one
// attempt is let through (half-open); its success closes the breaker. The zero
// value is closed.
type breaker struct {
	pause  time.Duration // 0: closed
	until  time.Duration // end of the pause
	trying time.Duration // until when the one attempt after the pause has time; 0: none is under way
}

// allows tells whether the neighbour may be sent to.
func (b *breaker) allows(now time.Duration) bool {
	return b.pause == 0 || (now >= b.until && now >= b.trying)
}

// sent says that something was sent there.
func (b *breaker) sent(now time.Duration) {
	if b.pause > 0 && now >= b.until {
		b.trying = now + max(b.pause, 5*time.Second)
	}
}

// failed opens it and tells whether it was closed. What fails during a pause
// was sent before it, and does not prolong it.
func (b *breaker) failed(now time.Duration) (opened bool) {
	if b.pause > 0 && now < b.until {
		return false
	}
	opened = b.pause == 0
	b.pause = min(max(firstPause, 2*b.pause), lastPause)
	b.until, b.trying = now+b.pause, 0
	return opened
}

// succeeded closes it and tells whether it was open.
func (b *breaker) succeeded() (closed bool) {
	closed = b.pause > 0
	*b = breaker{}
	return closed
}

// abandoned says that an attempt ended without telling anything.
func (b *breaker) abandoned() { b.trying = 0 }

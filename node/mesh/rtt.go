package mesh

import "time"

const (
	// rttGain is that of TCP's smoothed round-trip time (RFC 6298, section 2).
	rttGain = 0.125
	// rttWindow is how long a minimum is remembered: routes change.
	rttWindow = 2 * time.Minute
)

// rtt is the round-trip time to a neighbour: smoothed, which includes what the
// machines at its ends add, and the least of the last minutes, which is the
// distance.
type rtt struct {
	smoothed time.Duration // 0: never measured
	least    time.Duration
	// The window is kept as two halves: least of this one, least of the last.
	this, last time.Duration
	began      time.Duration // of this half
	measured   time.Duration // when the last sample came
	samples    int
}

func (r *rtt) add(now, sample time.Duration) {
	if sample <= 0 {
		return
	}
	r.samples++
	r.measured = now
	if r.smoothed == 0 {
		*r = rtt{smoothed: sample, least: sample, this: sample, last: sample, began: now, measured: now, samples: 1}
		return
	}
	r.smoothed += time.Duration(rttGain * float64(sample-r.smoothed))
	if now-r.began > rttWindow/2 {
		r.last, r.this, r.began = r.this, sample, now
	}
	r.this = min(r.this, sample)
	r.least = min(r.this, r.last)
}

// oneWay is how long a message to or from there takes at least.
func (r *rtt) oneWay() time.Duration { return r.least / 2 }

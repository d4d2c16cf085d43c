package node

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// demand measures the weight of one function: how many processors' time its
// invocations want in the time that they hold servers.
//
// Processor time used would not do. A busy machine serves everybody more slowly,
// so that a function that computes would use less and less of each second that
// its invocations hold a server, weigh less, and be admitted all the more, until
// nothing ends in time. What it waited for a processor counts as if it had had
// it: then a function that computes weighs 1 however crowded the machine is. One
// that mostly sleeps weighs somewhat more in a crowd than alone: the error is on
// the safe side, and goes away with the crowd.
type demand struct {
	measured atomic.Uint64 // bits of the weight, 0 until there is one

	mu      sync.Mutex // guards what follows
	running int
	held    time.Duration // by all invocations together, until since
	since   time.Duration

	// Of the weigher alone.
	taken    bool // the readings below exist
	lastAt   time.Duration
	lastHeld time.Duration
	lastCPU  faas.CPUTime
	estimate estimate
}

// newDemand takes what is unknown to weigh a whole server, with the say of a
// quarter of a second: one short sample does not overturn it.
func newDemand() *demand { return &demand{estimate: estimate{mean: 1, seconds: 0.25}} }

// begin counts an invocation that begins to hold a server.
func (d *demand) begin(now time.Duration) { d.change(now, 1) }

// end counts one that holds it no more.
func (d *demand) end(now time.Duration) { d.change(now, -1) }

func (d *demand) change(now time.Duration, by int) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.advance(now)
	d.running += by
}

// heldUntil is for how long servers were held so far.
func (d *demand) heldUntil(now time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.advance(now)
	return d.held
}

// advance is called with mu held. Clock readings may arrive in another order
// than they were taken.
func (d *demand) advance(now time.Duration) {
	if now > d.since {
		d.held += time.Duration(d.running) * (now - d.since)
		d.since = now
	}
}

// weight is false until something was measured.
func (d *demand) weight() (float64, bool) {
	if d == nil {
		return 0, false
	}
	w := math.Float64frombits(d.measured.Load())
	return w, w > 0
}

const (
	// leastHeld is the least time that servers were held of which a sample is
	// made; the kernel counts processor time in steps of 10 ms.
	leastHeld = 50 * time.Millisecond
	// idleRead is how often a function is read that is not called: seldom, since
	// that wakes the processor, and still often enough that what it does when
	// idle, such as starting, is not taken for its invocations'.
	idleRead = 5 * time.Second
)

// due tells whether the function's processor time is to be read now.
func (d *demand) due(now time.Duration) bool {
	return !d.taken || d.heldUntil(now)-d.lastHeld >= leastHeld || now-d.lastAt >= idleRead
}

// take learns from the function's processor time until now.
func (d *demand) take(now time.Duration, cpu faas.CPUTime) {
	held := d.heldUntil(now)
	over := held - d.lastHeld
	wanted := cpu.Used - d.lastCPU.Used + cpu.Waited - d.lastCPU.Waited
	known := d.taken && wanted >= 0 // else it was removed and deployed anew
	d.taken, d.lastAt, d.lastHeld, d.lastCPU = true, now, held, cpu
	if !known || over < leastHeld {
		return
	}
	d.estimate.add(wanted.Seconds()/over.Seconds(), over.Seconds())
	d.measured.Store(math.Float64bits(d.estimate.weight()))
}

// estimate is a mean of samples, each weighed by the seconds that servers were
// held in it, that forgets exponentially with their number.
type estimate struct {
	mean, seconds float64
}

// remembered is what a sample leaves of the say of those before it: after five
// a change is learnt to 83 %, and so is a first weight, or better.
const remembered = 0.7

func (e *estimate) add(x, seconds float64) {
	e.seconds = e.seconds*remembered + seconds
	e.mean += seconds / e.seconds * (x - e.mean)
}

// roundFrom is from where weights are rounded to whole servers. What computes
// measures as 0.97 or 1.03, and four servers hold four of 1 but three of 1.03.
const roundFrom = 0.75

func (e *estimate) weight() float64 {
	w := e.mean
	if w >= roundFrom {
		w = math.Round(w)
	}
	return min(max(w, minWeight), maxWeight)
}

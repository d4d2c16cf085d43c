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
// The danger is a vicious circle. A busy machine serves everybody more slowly, so
// that a function that computes would use less and less of each second that its
// invocations hold a server, weigh less, and be admitted all the more, until
// nothing ends in time. Three things keep it from that. What its threads waited
// for a processor counts as if they had had it. But calls may also wait inside a
// program, for its one thread or its scheduler, which the kernel does not see:
// so a sample makes a function lighter than one server only if it left part of
// one processor idle while it was called. And while the whole machine is full,
// a function that fills a processor grows heavier up to one server, until the
// machine is no fuller than it can bear.
//
// The error is on the safe side: a function that is always called much keeps the
// weight that it had when it was called less, at first 1.
type demand struct {
	measured atomic.Uint64 // bits of the weight, 0 until there is one

	mu      sync.Mutex // guards what follows
	running int
	span    span // until since
	since   time.Duration

	// Of the weigher alone.
	last     *reading // nil before the first
	estimate estimate
}

// span is for how long servers were held, by all invocations together, and for
// how long any was.
type span struct{ held, called time.Duration }

type reading struct {
	at   time.Duration
	span span
	cpu  faas.CPUTime
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

// until is for how long servers were held so far.
func (d *demand) until(now time.Duration) span {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.advance(now)
	return d.span
}

// advance is called with mu held. Clock readings may arrive in another order
// than they were taken.
func (d *demand) advance(now time.Duration) {
	if now <= d.since {
		return
	}
	d.span.held += time.Duration(d.running) * (now - d.since)
	if d.running > 0 {
		d.span.called += now - d.since
	}
	d.since = now
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
	return d.last == nil || now-d.last.at >= idleRead || d.until(now).held-d.last.span.held >= leastHeld
}

// take learns from the function's processor time until now; full says that the
// machine has nothing left.
func (d *demand) take(now time.Duration, cpu faas.CPUTime, full bool) {
	was := d.last
	d.last = &reading{now, d.until(now), cpu}
	if was == nil || cpu.Used < was.cpu.Used || cpu.Waited < was.cpu.Waited {
		return // the first, or it was removed and deployed anew
	}
	wanted := (cpu.Used - was.cpu.Used + cpu.Waited - was.cpu.Waited).Seconds()
	held := (d.last.span.held - was.span.held).Seconds()
	if held < leastHeld.Seconds() {
		return
	}
	called := (d.last.span.called - was.span.called).Seconds()
	d.estimate.learn(wanted/held, held, wanted/called, full)
	d.measured.Store(math.Float64bits(d.estimate.weight()))
}

const (
	// saturated is from how many processors wanted, while a function is called, its
	// calls may be waiting for each other.
	saturated = 0.75
	// heavier is by how much a function that saturates a full machine grows with
	// each sample.
	heavier = 1.2
)

// estimate is a mean of samples, each weighed by the seconds that servers were
// held in it, that forgets exponentially with their number.
type estimate struct {
	mean, seconds float64
}

// remembered is what a sample leaves of the say of those before it: after five
// a change is learnt to 83 %, and so is a first weight, or better.
const remembered = 0.7

// learn takes a sample x, given how many processors all calls together wanted
// while there were any: where they may have waited for each other, x is only the
// least that one of them wants.
func (e *estimate) learn(x, seconds, processors float64, full bool) {
	if processors >= saturated {
		if full && e.mean < 1 {
			e.mean = min(e.mean*heavier, 1)
		}
		x = max(x, min(e.mean, 1))
	}
	e.add(x, seconds)
}

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

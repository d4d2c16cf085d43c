package mesh

import (
	"cmp"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Result is how it went with something that was sent to a neighbour.
type Result uint8

const (
	// Answered: the neighbour did its part, whatever the function's answer.
	Answered Result = iota
	// Refused: the neighbour is well, but did not start it.
	Refused
	// Failed: no answer, a cut one, or nonsense.
	Failed
	// NotReached: it did not get there.
	NotReached
	// Abandoned: nothing is to be learned, the caller gave up.
	Abandoned
	// Unfit: the neighbour is there, but could not have the function answered.
	// Who fails fast looks idle: it must not attract more for that.
	Unfit
	// Late: it had not started by the deadline, after Waited.
	Late
)

// Done is the end of something that was sent to a neighbour.
type Done struct {
	Function string // name[.namespace]
	Result   Result
	// Took is the time since Sent, by which it is known which one ended.
	Took time.Duration
	// Waited is the time from Sent until the neighbour was heard to start it; 0
	// if that is not known. It is held against what the neighbour promised.
	Waited time.Duration
	// RTT is a sample of the round-trip time, 0 if there is none.
	RTT time.Duration
	// Bytes that went either way within Transfer, if there were enough to tell
	// the throughput; else 0.
	Bytes    int64
	Transfer time.Duration
}

// Sent says that an invocation of the function is on its way to p, and is
// guessed to run for so long where p has not measured it. Until a report of p's that
// was made after it arrived, it counts as p's load; see sched.Neighbour.OwnSends and OwnWork.
func (m *Mesh) Sent(p peer.ID, function string, guess time.Duration) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.table.members[p]; n != nil {
		n.breaker.sent(now)
		n.used = now
		n.sends.add(now, n.rtt.oneWay(), cmp.Or(m.table.service(n, function).Mean, guess), n.promise(now))
	}
}

// Done says how it ended. Each Sent is followed by one Done.
func (m *Mesh) Done(p peer.ID, d Done) {
	now := m.now()
	m.mu.Lock()
	n := m.table.members[p]
	if n == nil {
		m.mu.Unlock()
		return
	}
	change := n.done(now, d)
	m.mu.Unlock()
	switch change {
	case nowFailing:
		log.Warnw("neighbour fails, pausing", "peer", p)
	case nowWell:
		log.Infow("neighbour recovered", "peer", p)
	case unchanged:
	}
}

// change is what an outcome makes of a neighbour's breaker.
type change uint8

const (
	unchanged change = iota
	nowFailing
	nowWell
)

func (n *neighbour) done(now time.Duration, d Done) change {
	made, known := n.sends.done(now - d.Took)
	n.rtt.add(now, d.RTT)
	n.transferred(d.Bytes, d.Transfer)
	switch d.Result {
	case Failed, NotReached:
		n.health *= 1 - healthGain
	case Unfit:
		n.unfit(d.Function, now)
	case Answered, Refused:
		n.health += healthGain * (1 - n.health)
	}
	if d.Result == Answered {
		n.fit(d.Function)
	}
	kept := !known || n.judge(made, d)
	switch {
	case n.fails(d.Result, kept):
		failed := d.Result == Failed || d.Result == NotReached
		n.doubted = !failed && (n.doubted || n.breaker.pause == 0)
		if n.breaker.failed(now) {
			return nowFailing
		}
	case d.Result == Answered, d.Result == Refused && kept:
		if n.breaker.succeeded() {
			return nowWell
		}
	default:
		n.breaker.abandoned()
	}
	return unchanged
}

// fails tells whether to send nothing there for a while: it failed, or what it
// does has been at odds with what it says for too often.
func (n *neighbour) fails(r Result, kept bool) bool {
	if r == Failed || r == NotReached {
		return true
	}
	return !kept && n.honesty < doubtful
}

// judge compares what the neighbour promised with what it did, and tells
// whether that was kept.
func (n *neighbour) judge(made promise, d Done) (kept bool) {
	switch {
	case d.Result == Refused:
		if !brokenByRefusal(made) {
			return true // it is full, as it says: no merit either
		}
		kept = false
	case d.Result != Answered && d.Result != Late:
		return true
	case d.Waited > 0:
		kept = !brokenByWait(made, max(0, d.Waited-n.rtt.smoothed))
	default:
		kept = true
	}
	n.honesty = honestyAfter(n.honesty, kept)
	return kept
}

// transferred takes a sample of the throughput, if it is large enough not to
// measure the round trip instead.
func (n *neighbour) transferred(bytes int64, took time.Duration) {
	const least, gain = 64 << 10, 0.25
	if bytes < least || took <= 0 {
		return
	}
	sample := float64(bytes) / took.Seconds()
	if n.throughput == 0 {
		n.throughput = sample
	}
	n.throughput += gain * (sample - n.throughput)
}

package sched

import (
	"fmt"
	"math"
	"time"
)

// Entry is what a Queue knows of one that waits. Times are on the driver's clock.
type Entry struct {
	Arrived time.Duration
	// Deadline is when its answer must leave this node, 0 for none.
	Deadline time.Duration
	// Wait is how long the driver expects it to wait: what is left of running
	// work, and the queue's ExpectedWait.
	Wait time.Duration
	// Mean is its expected service time; a guess is better than 0 if it was
	// never measured. Fast is the 10th percentile, 0 if unknown.
	Mean, Fast time.Duration
	// Spread is as in [Service].
	Spread float64
	// Weight is the share of a server it takes; 0 counts as 1.
	Weight   float64
	Priority int
}

// latest is the last moment at which it could start and still be on time.
func (e *Entry) latest() time.Duration { return e.Deadline - e.Fast }

func (e *Entry) work() time.Duration {
	weight := e.Weight
	if !(weight > 0) || math.IsInf(weight, 1) {
		weight = 1
	}
	return time.Duration(float64(e.Mean) * weight)
}

// spare is the time to spare that an entry must have to count as on time, in
// standard deviations of its service. Whoever fits just so has an even chance; with
// more to do than can be done it pays to serve the surer ones.
const spare = 0.5

// needs is how long before its deadline it must start to count as on time.
func (e *Entry) needs() time.Duration {
	return e.Mean + time.Duration(spare*lawOf(float64(e.Mean), e.Spread).tail())
}

// onTime is the chance that it is on time if started now.
func (e *Entry) onTime(now time.Duration) float64 {
	if e.Deadline == 0 {
		return 1
	}
	return lawOf(seconds(e.Mean), e.Spread).within((e.Deadline - now).Seconds())
}

// FullError tells what bound a newcomer met.
type FullError struct {
	Waiting, MaxCount int
	Wait, MaxWait     time.Duration
}

func (e *FullError) Error() string {
	if e.Waiting >= e.MaxCount {
		return fmt.Sprintf("%v: %d wait and %d may: try again later, or raise the limit, or add nodes",
			ErrQueueFull, e.Waiting, e.MaxCount)
	}
	return fmt.Sprintf("%v: it would wait %v and may wait %v: try again later, or allow more time, or add nodes",
		ErrQueueFull, e.Wait, e.MaxWait)
}

func (e *FullError) Unwrap() error { return ErrQueueFull }

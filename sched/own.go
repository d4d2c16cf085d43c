package sched

import "time"

// Busy is what runs on a node, as far as needed to tell when a server falls
// free. Together with a [Queue] it gives a node's own W, the seconds until a
// newcomer would start (rule 1 of spread):
//
//	wait := 0 with a free server, else busy.Residual(now) + queue.ExpectedWait()
//
// The fixed part of a service runs off as it runs, the memoryless part does not,
// see [Service]; for one server this is exact. The zero Busy is of no use, see
// NewBusy. Not safe for concurrent use.
type Busy struct {
	running []started
	unused  []int
	soonest heap    // of running, by fixed
	tails   float64 // sum of running's
}

type started struct {
	fixed time.Duration // when the fixed part is over
	tail  float64       // mean of what comes then, seconds
}

// NewBusy makes one with nothing running.
func NewBusy() *Busy {
	b := &Busy{}
	b.soonest.less = func(x, y int) bool { return b.running[x].fixed < b.running[y].fixed }
	return b
}

// Start tells that a service of that kind has begun. The token is for End.
func (b *Busy) Start(now time.Duration, s Service) (token int) {
	l := lawOf(seconds(s.Mean), s.Spread)
	token = b.claim()
	b.running[token] = started{now + time.Duration(l.fixed()*1e9), l.tail()}
	b.tails += l.tail()
	b.soonest.add(token)
	return token
}

// End tells that it is over; once for each Start.
func (b *Busy) End(token int) {
	b.soonest.remove(token)
	b.tails -= b.running[token].tail
	b.unused = append(b.unused, token)
	if b.Len() == 0 {
		b.tails = 0 // no drift of rounding
	}
}

// Len is how many run.
func (b *Busy) Len() int { return len(b.soonest.slots) }

// Residual is until the first of them is expected to end, 0 if none runs. Of k
// memoryless ones the first ends in a k-th of their mean.
func (b *Busy) Residual(now time.Duration) time.Duration {
	first, ok := b.soonest.top()
	if !ok {
		return 0
	}
	k := float64(b.Len())
	return max(0, b.running[first].fixed-now) + time.Duration(max(0, b.tails)/(k*k)*1e9)
}

func (b *Busy) claim() int {
	if n := len(b.unused); n > 0 {
		token := b.unused[n-1]
		b.unused = b.unused[:n-1]
		return token
	}
	b.running = append(b.running, started{})
	return len(b.running) - 1
}

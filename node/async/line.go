package async

import (
	"time"
)

// Bounds of a line's window: how many of its calls are under way at once.
const (
	firstWindow = 1
	mostWindow  = 256
)

// Bounds of the pause after a refusal.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = 5 * time.Second
)

// line is the calls of one function that are due, and how many of them the mesh
// was found to carry. It is as TCP's congestion window: one more with each
// answer, half after a refusal. A line for each function keeps one that nobody
// takes from holding up the others.
//
// The callbacks to one host are a line too.
type line struct {
	ready    []*entry // the first is next
	under    int      // way
	window   float64
	pause    time.Duration // the last one
	until    time.Time     // nothing starts before
	mostOpen float64
}

func newLine(most int) *line { return &line{window: firstWindow, mostOpen: float64(most)} }

// open tells whether one more may start.
func (l *line) open(now time.Time) bool {
	return len(l.ready) > 0 && float64(l.under) < l.window && !now.Before(l.until)
}

func (l *line) idle() bool { return len(l.ready) == 0 && l.under == 0 }

// start takes the first that waits.
func (l *line) start() *entry {
	e := l.ready[0]
	l.ready[0] = nil
	l.ready = l.ready[1:]
	l.under++
	return e
}

// heard tells how one fared.
func (l *line) heard(c carried, after time.Duration, now time.Time) {
	switch c {
	case byFunction:
		l.answered()
	case byNobody:
		l.refused(now, after)
	case notTried:
		l.abandoned()
	}
}

// answered: it was carried. The window grows only while it is what bounds.
func (l *line) answered() {
	if float64(l.under) >= l.window-1 {
		l.window = min(l.window+1, l.mostOpen)
	}
	l.under--
	l.pause = 0
}

// refused: nobody takes it now.
func (l *line) refused(now time.Time, after time.Duration) {
	l.under--
	l.window = max(firstWindow, l.window/2)
	if now.Before(l.until) {
		return // one of several that were refused together
	}
	l.pause = min(max(leastPause, 2*l.pause), mostPause)
	l.until = now.Add(min(max(l.pause, after), mostPause))
}

// abandoned: it says nothing about who carries it.
func (l *line) abandoned() { l.under-- }

// delayed are the calls that are due later, the next first; see container/heap.
type delayed []waiting

type waiting struct {
	*entry
	due time.Time
	gen uint64 // the entry's when it was put in: else it has left
}

func (d delayed) Len() int           { return len(d) }
func (d delayed) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d delayed) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *delayed) Push(x any)        { *d = append(*d, x.(waiting)) }
func (d *delayed) Pop() any {
	old := *d
	last := old[len(old)-1]
	old[len(old)-1] = waiting{}
	*d = old[:len(old)-1]
	return last
}

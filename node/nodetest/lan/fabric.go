//go:build linux

package lan

import (
	"bytes"
	"container/heap"
	"math/rand/v2"
	"time"
)

const (
	// maxFrame is more than the devices' MTU of 1500 and the Ethernet header.
	maxFrame = 2048
	// headerSize is that of an Ethernet header: two addresses and the type.
	headerSize = 14
	// maxPending bounds the frames that are on their way on one link: 6 MB, some
	// 60 ms at 100 MB/s. What exceeds it is dropped, as switches do.
	maxPending = 4096
	// idle is how long there is nothing to do when no frame is on its way.
	idle = time.Hour
)

type mac [6]byte

// fabric is the switch without its input and output: where a frame goes and
// when. It is not safe for concurrent use.
type fabric struct {
	ports  []*port
	learnt map[mac]int // port behind which an address was last seen
	late   delayedHeap
	order  uint64
	counts Counts
	reach  []int // memory for route's result
}

// port is where a machine is plugged in.
type port struct {
	group     int // of the partition
	unplugged bool
	links     []*link // to the other ports, by number
}

// link is one direction between two ports.
type link struct {
	delay   time.Duration
	loss    float64
	cut     bool
	rand    *rand.Rand
	last    time.Time // when the frame that was last delayed is due
	pending int       // frames on their way
}

// delayed is a frame on its way.
type delayed struct {
	due      time.Time
	order    uint64 // of frames that are due at the same time
	from, to int
	frame    []byte
}

// plug adds a port. The random numbers of its links depend on nothing but the
// ports' numbers.
func (f *fabric) plug() {
	if f.learnt == nil {
		f.learnt = make(map[mac]int)
	}
	mine := len(f.ports)
	f.ports = append(f.ports, &port{})
	for i, p := range f.ports[:mine] {
		p.links = append(p.links, newLink(i, mine))
	}
	for i := range mine + 1 { // the last leads to itself and carries nothing
		f.ports[mine].links = append(f.ports[mine].links, newLink(mine, i))
	}
}

func newLink(from, to int) *link {
	return &link{rand: rand.New(rand.NewPCG(uint64(from), uint64(to)))}
}

func (f *fabric) link(from, to int) *link { return f.ports[from].links[to] }

func (f *fabric) all(change func(*link)) {
	for _, p := range f.ports {
		for _, l := range p.links {
			change(l)
		}
	}
}

// unite puts all ports into one group.
func (f *fabric) unite() {
	for _, p := range f.ports {
		p.group = 0
	}
}

// route returns the ports that get the frame now, and keeps copies for those
// that get it later. The result is valid until the next call.
func (f *fabric) route(from int, frame []byte, now time.Time) []int {
	f.reach = f.reach[:0]
	if len(frame) < headerSize {
		return nil
	}
	destination, source := mac(frame[:6]), mac(frame[6:12])
	f.learnt[source] = from
	if to, ok := f.learnt[destination]; ok {
		if to != from {
			f.send(from, to, frame, now)
		}
		return f.reach
	}
	for to := range f.ports { // multicast, or not heard yet
		if to != from {
			f.send(from, to, frame, now)
		}
	}
	return f.reach
}

func (f *fabric) send(from, to int, frame []byte, now time.Time) {
	l := f.link(from, to)
	switch {
	case !f.passable(from, to):
		f.counts.Blocked++
	case l.loss > 0 && l.rand.Float64() < l.loss:
		f.counts.Lost++
	case l.delay == 0 && l.pending == 0:
		f.counts.Carried++
		f.reach = append(f.reach, to)
	case l.pending >= maxPending:
		f.counts.Full++
	default:
		f.keep(&delayed{from: from, to: to, frame: bytes.Clone(frame)}, l, now)
	}
}

func (f *fabric) passable(from, to int) bool {
	a, b := f.ports[from], f.ports[to]
	return a.group == b.group && !a.unplugged && !b.unplugged && !a.links[to].cut
}

// keep delays a frame. It never becomes due before those that were sent before
// it, even if the link has become faster.
func (f *fabric) keep(d *delayed, l *link, now time.Time) {
	d.due = now.Add(l.delay)
	if l.pending > 0 && d.due.Before(l.last) {
		d.due = l.last
	}
	l.last = d.due
	l.pending++
	f.order++
	d.order = f.order
	heap.Push(&f.late, d)
}

// nextDue is when the first frame on its way is due, zero if there is none.
func (f *fabric) nextDue() time.Time {
	if len(f.late) == 0 {
		return time.Time{}
	}
	return f.late[0].due
}

// pop takes out the first frame that is due by now. If there is none it says how
// long there will be none.
func (f *fabric) pop(now time.Time) (*delayed, time.Duration) {
	if len(f.late) == 0 {
		return nil, idle
	}
	if wait := f.late[0].due.Sub(now); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&f.late).(*delayed), 0
}

// arrives says whether nobody has cut the link meanwhile.
func (f *fabric) arrives(d *delayed) bool {
	if !f.passable(d.from, d.to) {
		f.counts.Blocked++
		return false
	}
	f.counts.Carried++
	return true
}

// delivered must follow pop, when the frame has been handed over: until then
// others on its link wait behind it.
func (f *fabric) delivered(d *delayed) { f.link(d.from, d.to).pending-- }

// delayedHeap orders frames by when they are due, with container/heap.
type delayedHeap []*delayed

func (h delayedHeap) Len() int { return len(h) }

func (h delayedHeap) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].order < h[j].order
}

func (h delayedHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *delayedHeap) Push(x any) { *h = append(*h, x.(*delayed)) }

func (h *delayedHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return d
}

package sched

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	defaultMaxCount = 1024
	defaultMaxWait  = 10 * time.Second
)

// ErrQueueFull: the queue takes no more. Match it with errors.Is; the error
// itself is a [*FullError].
var ErrQueueFull = errors.New("queue full")

// Order says who of the waiting is served first. Whatever it is, a higher
// Priority goes before a lower one.
type Order uint8

const (
	// OrderFIFO serves who arrived first.
	OrderFIFO Order = iota
	// OrderDeadline serves the earliest deadline, those without one last.
	OrderDeadline
)

// QueueConfig bounds and orders a Queue.
type QueueConfig struct {
	// MaxCount is how many may wait. Default 1024. More only helps where
	// services are so short that this many are done within MaxWait.
	MaxCount int
	// MaxWait is the longest expected wait of an entry without a deadline; one
	// with a deadline may wait until then. Default 10 s.
	MaxWait time.Duration
	// Exact makes MaxCount the only bound, 0 included: for experiments with a
	// given queue length.
	Exact bool
	Order Order
}

// Entry is what a Queue knows of one that waits. Times are on the driver's clock.
type Entry struct {
	Arrived time.Duration
	// Deadline is when it must have been answered, 0 for none.
	Deadline time.Duration
	// Wait is how long the driver expects it to wait: what is left of running
	// work, and the queue's ExpectedWait.
	Wait time.Duration
	// Mean is its expected service time; a guess is better than 0 if it was
	// never measured. Fast is the 10th percentile, 0 if unknown.
	Mean, Fast time.Duration
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

// Handle names one waiting entry. The zero Handle names none.
type Handle struct {
	slot  int
	birth uint64
}

// Queue is a bounded waiting line with deadlines: a data structure without
// clock or lock, for one caller at a time. What was pushed leaves exactly once:
// by Pop, by Expire or by Remove.
//
//	handle, err := q.Push(call, sched.Entry{Arrived: now, Deadline: deadline, …})
//	…
//	for _, call := range q.Expire(now) { answer 504 }
//	call, ok := q.Pop(now)
type Queue[T any] struct {
	cfg    QueueConfig
	slots  []slot[T]
	unused []int
	order  heap // of all that wait
	expiry heap // of those with a deadline, by the latest start
	births uint64
	work   time.Duration
	late   []T
}

type slot[T any] struct {
	item  T
	entry Entry
	birth uint64 // 0 if unused
}

// NewQueue makes an empty queue.
func NewQueue[T any](cfg QueueConfig) *Queue[T] {
	if cfg.MaxCount == 0 && !cfg.Exact {
		cfg.MaxCount = defaultMaxCount
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = defaultMaxWait
	}
	q := &Queue[T]{cfg: cfg}
	q.order.less = q.before
	q.expiry.less = func(a, b int) bool { return q.slots[a].entry.latest() < q.slots[b].entry.latest() }
	return q
}

// Len is how many wait.
func (q *Queue[T]) Len() int { return len(q.order.slots) }

// ExpectedWait is how long so many servers need for what waits now.
func (q *Queue[T]) ExpectedWait(servers int) time.Duration {
	return q.work / time.Duration(max(1, servers))
}

// Room tells whether Push would take e: nil, or a [*FullError].
func (q *Queue[T]) Room(e Entry) error {
	maxWait := q.maxWait(&e)
	if q.Len() < q.cfg.MaxCount && (q.cfg.Exact || e.Wait <= maxWait) {
		return nil
	}
	return &FullError{Waiting: q.Len(), MaxCount: q.cfg.MaxCount, Wait: e.Wait, MaxWait: maxWait}
}

func (q *Queue[T]) maxWait(e *Entry) time.Duration {
	if e.Deadline == 0 {
		return q.cfg.MaxWait
	}
	return max(0, e.Deadline-e.Arrived)
}

// Push adds item to the line, or says why not with a [*FullError].
func (q *Queue[T]) Push(item T, e Entry) (Handle, error) {
	if err := q.Room(e); err != nil {
		return Handle{}, err
	}
	i := q.claim()
	q.births++
	q.slots[i] = slot[T]{item: item, entry: e, birth: q.births}
	q.work += e.work()
	q.order.add(i)
	if e.Deadline != 0 {
		q.expiry.add(i)
	}
	return Handle{slot: i, birth: q.births}, nil
}

// Peek is the next one to be served. It stays in the line.
func (q *Queue[T]) Peek() (item T, ok bool) {
	i, ok := q.order.top()
	if !ok {
		return item, false
	}
	return q.slots[i].item, true
}

// Pop takes out the next one to be served. It passes over those that can no
// longer be on time; the next Expire returns them.
func (q *Queue[T]) Pop(now time.Duration) (item T, ok bool) {
	q.retire(now)
	i, ok := q.order.top()
	if !ok {
		return item, false
	}
	return q.take(i), true
}

// Expire takes out those that can no longer be on time: started now, even a
// fast service would end after the deadline.
func (q *Queue[T]) Expire(now time.Duration) []T {
	q.retire(now)
	late := q.late
	q.late = nil
	return late
}

// NextExpiry is the earliest time at which Expire will return something.
func (q *Queue[T]) NextExpiry() (at time.Duration, ok bool) {
	i, ok := q.expiry.top()
	if !ok {
		return 0, false
	}
	return q.slots[i].entry.latest() + 1, true
}

// Remove takes out one that still waits: to cancel it, or to hand it to a peer.
func (q *Queue[T]) Remove(h Handle) (item T, ok bool) {
	if h.birth == 0 || h.slot >= len(q.slots) || q.slots[h.slot].birth != h.birth {
		return item, false
	}
	return q.take(h.slot), true
}

func (q *Queue[T]) retire(now time.Duration) {
	for {
		i, ok := q.expiry.top()
		if !ok || now <= q.slots[i].entry.latest() {
			return
		}
		q.late = append(q.late, q.take(i))
	}
}

func (q *Queue[T]) claim() int {
	if n := len(q.unused); n > 0 {
		i := q.unused[n-1]
		q.unused = q.unused[:n-1]
		return i
	}
	q.slots = append(q.slots, slot[T]{})
	return len(q.slots) - 1
}

func (q *Queue[T]) take(i int) T {
	q.order.remove(i)
	q.expiry.remove(i)
	item := q.slots[i].item
	q.work -= q.slots[i].entry.work()
	q.slots[i] = slot[T]{}
	q.unused = append(q.unused, i)
	return item
}

func (q *Queue[T]) before(a, b int) bool {
	x, y := &q.slots[a], &q.slots[b]
	if x.entry.Priority != y.entry.Priority {
		return x.entry.Priority > y.entry.Priority
	}
	if c := q.cfg.Order.compare(&x.entry, &y.entry); c != 0 {
		return c < 0
	}
	return x.birth < y.birth
}

func (o Order) compare(x, y *Entry) int {
	if o == OrderDeadline && x.Deadline != y.Deadline {
		if x.Deadline == 0 || y.Deadline == 0 {
			return cmp.Compare(y.Deadline, x.Deadline)
		}
		return cmp.Compare(x.Deadline, y.Deadline)
	}
	return cmp.Compare(x.Arrived, y.Arrived)
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

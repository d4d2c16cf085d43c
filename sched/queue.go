package sched

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"time"
)

const (
	defaultMaxCount = 1024
	defaultMaxWait  = 10 * time.Second
)

// ErrQueueFull: the queue takes no more. Match it with errors.Is; the error
// itself is a [*FullError].
var ErrQueueFull = errors.New("queue full")

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
	// Servers is how many take from it. Default 1.
	Servers int
	// KeepLate serves even those that can no longer be on time: for experiments
	// with policies that know no expiry.
	KeepLate bool
}

// Handle names one waiting entry. The zero Handle names none.
type Handle struct {
	slot  int
	birth uint64
}

// Queue is a bounded waiting line with deadlines: a data structure without
// clock or lock, for one caller at a time. What was pushed leaves exactly once:
// by Pop, Give, Expire or Remove.
//
//	handle, err := q.Push(call, sched.Entry{Arrived: now, Deadline: deadline, …})
//	…
//	for _, call := range q.Expire(now) { answer 504 }
//	call, ok := q.Pop(now)
type Queue[T any] struct {
	cfg    QueueConfig
	slots  []slot[T]
	unused []int
	line   []int // slots of all that wait, in order
	oldest heap  // of all that wait, by priority and arrival
	expiry heap  // of those with a deadline, by the latest start
	births uint64
	work   time.Duration
	late   []T
	plan   plan
}

type slot[T any] struct {
	item  T
	entry Entry
	birth uint64 // 0 if unused
	// work and needs are of the entry, reckoned once.
	work, needs time.Duration
}

// NewQueue makes an empty queue.
func NewQueue[T any](cfg QueueConfig) *Queue[T] {
	q := &Queue[T]{}
	q.expiry.less = func(a, b int) bool { return q.slots[a].entry.latest() < q.slots[b].entry.latest() }
	q.oldest.less = func(a, b int) bool { return q.compareBy(OrderFIFO, a, b) < 0 }
	q.plan.longest.less = q.longer
	q.Reconfigure(cfg)
	return q
}

// Reconfigure changes bounds and order. What waits stays, even beyond a lower bound.
func (q *Queue[T]) Reconfigure(cfg QueueConfig) {
	if cfg.MaxCount == 0 && !cfg.Exact {
		cfg.MaxCount = defaultMaxCount
	}
	cfg.MaxWait = cmp.Or(cfg.MaxWait, defaultMaxWait)
	cfg.Servers = max(1, cfg.Servers)
	q.cfg = cfg
	slices.SortFunc(q.line, q.compare)
	for _, i := range q.line {
		q.expiry.remove(i)
		q.watch(i)
	}
	q.plan.forget()
}

// Config is what it was configured with, defaults filled in.
func (q *Queue[T]) Config() QueueConfig { return q.cfg }

// Len is how many wait.
func (q *Queue[T]) Len() int { return len(q.line) }

// ExpectedWait is how long the servers need for what waits now.
func (q *Queue[T]) ExpectedWait() time.Duration { return q.work / time.Duration(q.cfg.Servers) }

// Ahead implements [Line].
func (q *Queue[T]) Ahead(now, deadline time.Duration) time.Duration {
	if q.cfg.Order == OrderFIFO || q.cfg.Order == OrderMooreHodgson && q.easyFor(now, deadline) {
		return q.work
	}
	newcomer := Entry{Deadline: deadline}
	var ahead time.Duration
	for _, i := range q.line {
		e := &q.slots[i].entry
		newcomer.Priority, newcomer.Arrived = e.Priority, e.Arrived
		if q.cfg.Order.compare(e, &newcomer) <= 0 {
			ahead += q.slots[i].work
		}
	}
	return ahead
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
	q.slots[i] = slot[T]{item: item, entry: e, birth: q.births, work: e.work(), needs: e.needs()}
	q.work += e.work()
	q.line = slices.Insert(q.line, q.place(i), i)
	q.oldest.add(i)
	q.watch(i)
	q.plan.forget()
	return Handle{slot: i, birth: q.births}, nil
}

// Peek is the one that Pop would return at this time, after Expire. It stays in the line.
func (q *Queue[T]) Peek(now time.Duration) (item T, ok bool) {
	i, ok := q.next(now)
	if !ok {
		return item, false
	}
	return q.slots[i].item, true
}

// Pop takes out the next one to be served. It passes over those that can no
// longer be on time; the next Expire returns them.
func (q *Queue[T]) Pop(now time.Duration) (item T, ok bool) {
	q.retire(now)
	i, ok := q.next(now)
	if !ok {
		return item, false
	}
	return q.take(i), true
}

// next is the slot of the next one to be served.
func (q *Queue[T]) next(now time.Duration) (slot int, ok bool) {
	switch {
	case len(q.line) == 0:
		return 0, false
	case q.cfg.Order == OrderMooreHodgson:
		return q.mooreHodgson(now), true
	}
	return q.line[0], true
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

// Remove takes out one that still waits: to cancel it, say.
func (q *Queue[T]) Remove(h Handle) (item T, ok bool) {
	if h.birth == 0 || h.slot >= len(q.slots) || q.slots[h.slot].birth != h.birth {
		return item, false
	}
	return q.take(h.slot), true
}

// watch has the slot expire in time.
func (q *Queue[T]) watch(i int) {
	if q.slots[i].entry.Deadline != 0 && !q.cfg.KeepLate {
		q.expiry.add(i)
	}
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
	at := q.place(i)
	q.line = slices.Delete(q.line, at, at+1)
	q.oldest.remove(i)
	q.expiry.remove(i)
	item := q.slots[i].item
	q.work -= q.slots[i].work
	q.slots[i] = slot[T]{}
	q.unused = append(q.unused, i)
	q.plan.forget()
	return item
}

// place is where in line the slot is, or belongs.
func (q *Queue[T]) place(i int) int {
	return sort.Search(len(q.line), func(at int) bool { return q.compare(q.line[at], i) >= 0 })
}

// compare orders slots; no two are equal.
func (q *Queue[T]) compare(a, b int) int { return q.compareBy(q.cfg.Order, a, b) }

func (q *Queue[T]) compareBy(o Order, a, b int) int {
	x, y := &q.slots[a], &q.slots[b]
	return cmp.Or(o.compare(&x.entry, &y.entry), cmp.Compare(x.birth, y.birth))
}

// Each visits all that wait, in no certain order. It must not change the queue.
func (q *Queue[T]) Each(visit func(item T)) {
	for _, i := range q.line {
		visit(q.slots[i].item)
	}
}

package sched_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

// waiting is an entry of the naive model.
type waiting struct {
	id     int
	entry  sched.Entry
	handle sched.Handle
}

// naiveQueue is the model: a sorted slice.
type naiveQueue struct {
	order sched.Order
	line  []waiting
	late  []int
}

func (m *naiveQueue) push(w waiting) {
	m.line = append(m.line, w)
	slices.SortStableFunc(m.line, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(b.entry.Priority, a.entry.Priority), m.compare(a.entry, b.entry),
			cmp.Compare(a.entry.Arrived, b.entry.Arrived), cmp.Compare(a.id, b.id))
	})
}

func (m *naiveQueue) compare(a, b sched.Entry) int {
	if m.order == sched.OrderFIFO {
		return 0
	}
	const never = time.Duration(1<<63 - 1)
	return cmp.Compare(cmp.Or(a.Deadline, never), cmp.Or(b.Deadline, never))
}

func (m *naiveQueue) retire(now time.Duration) {
	m.line = slices.DeleteFunc(m.line, func(w waiting) bool {
		hopeless := w.entry.Deadline != 0 && now+w.entry.Fast > w.entry.Deadline
		if hopeless {
			m.late = append(m.late, w.id)
		}
		return hopeless
	})
}

func (m *naiveQueue) work() time.Duration {
	var sum time.Duration
	for _, w := range m.line {
		sum += w.work()
	}
	return sum
}

func (w *waiting) work() time.Duration {
	return time.Duration(float64(w.entry.Mean) * cmp.Or(w.entry.Weight, 1))
}

func TestQueueAgainstModel(t *testing.T) {
	for _, order := range []sched.Order{sched.OrderFIFO, sched.OrderDeadline, sched.OrderMooreHodgson} {
		t.Run(order.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				cfg := sched.QueueConfig{MaxCount: machineRoom, Exact: true, Order: order, Servers: 3}
				m := &queueMachine{queue: sched.NewQueue[int](cfg), model: naiveQueue{order: order}}
				t.Repeat(rapid.StateMachineActions(m))
			})
		})
	}
}

const machineRoom = 12

// queueMachine does random things to a queue and to its model alike.
type queueMachine struct {
	queue  *sched.Queue[int]
	model  naiveQueue
	now    time.Duration
	pushed []waiting
}

func (m *queueMachine) Push(t *rapid.T) {
	w := waiting{id: len(m.pushed), entry: randomEntry(t, m.now)}
	handle, err := m.queue.Push(w.id, w.entry)
	if full := len(m.model.line) >= machineRoom; full != errors.Is(err, sched.ErrQueueFull) {
		t.Fatalf("Push to %d of %d: %v", len(m.model.line), machineRoom, err)
	}
	if err == nil {
		w.handle = handle
		m.model.push(w)
		m.pushed = append(m.pushed, w)
	}
}

func (m *queueMachine) Pop(t *rapid.T) {
	m.model.retire(m.now)
	got, ok := m.queue.Pop(m.now)
	if ok != (len(m.model.line) > 0) {
		t.Fatalf("Pop: ok %t with %d waiting", ok, len(m.model.line))
	}
	if !ok {
		return
	}
	m.served(t, got)
}

// served checks whose turn it was. Which one Moore-Hodgson takes of the highest
// priority is another test's matter.
func (m *queueMachine) served(t *rapid.T, got int) {
	first := m.model.line[0]
	at := slices.IndexFunc(m.model.line, func(w waiting) bool { return w.id == got })
	free := m.model.order == sched.OrderMooreHodgson
	if at != 0 && !(free && at > 0 && m.model.line[at].entry.Priority == first.entry.Priority) {
		t.Fatalf("served %d at place %d, want %d", got, at, first.id)
	}
	m.model.line = slices.Delete(m.model.line, at, at+1)
}

func (m *queueMachine) Peek(t *rapid.T) {
	m.Expire(t)
	shown, ok := m.queue.Peek(m.now)
	if popped, also := m.queue.Pop(m.now); ok != also || shown != popped {
		t.Fatalf("Peek: %d, %t, then Pop: %d, %t", shown, ok, popped, also)
	}
	if ok {
		m.served(t, shown)
	}
}

// Give hands over to somebody who needs 3 to start, and at least 2 and on
// average 10 to serve; what has an odd number is not to be had.
func (m *queueMachine) Give(t *rapid.T) {
	m.model.retire(m.now)
	offer := sched.Offer{Start: 3, Mean: 10, Fast: 2}
	want := m.model.oldest(m.now + offer.Start + offer.Mean)
	if want < 0 {
		want = m.model.oldest(m.now + offer.Start + offer.Fast)
	}
	got, ok := m.queue.Give(m.now, func(id int, _ *sched.Entry) (sched.Offer, bool) { return offer, id%2 == 0 })
	if ok != (want >= 0) || ok && got != m.model.line[want].id {
		t.Fatalf("Give: %d, %t, want place %d of %v", got, ok, want, m.model.line)
	}
	if ok {
		m.model.line = slices.Delete(m.model.line, want, want+1)
	}
}

// oldest is the place of the one of an even number, and done by then, that has
// waited the longest, -1 for none.
func (m *naiveQueue) oldest(done time.Duration) int {
	oldest := -1
	for i, w := range m.line {
		if w.id%2 != 0 || w.entry.Deadline != 0 && w.entry.Deadline < done {
			continue
		}
		if oldest < 0 || older(&w, &m.line[oldest]) {
			oldest = i
		}
	}
	return oldest
}

func older(a, b *waiting) bool {
	x, y := &a.entry, &b.entry
	return cmp.Or(cmp.Compare(y.Priority, x.Priority), cmp.Compare(x.Arrived, y.Arrived)) < 0
}

func (m *queueMachine) Ahead(t *rapid.T) {
	deadline := m.now + time.Duration(rapid.Int64Range(1, 60).Draw(t, "deadline of the newcomer"))
	var want time.Duration
	for _, w := range m.model.line {
		if m.model.order == sched.OrderFIFO || w.entry.Deadline != 0 && w.entry.Deadline <= deadline {
			want += w.work()
		}
	}
	all := m.model.work() // if all deadlines are far off; see TestAheadOfALineAtEase
	if got := m.queue.Ahead(m.now, deadline); got != want && (m.model.order != sched.OrderMooreHodgson || got != all) {
		t.Fatalf("Ahead of %v: %v, want %v", deadline, got, want)
	}
	if got, want := m.queue.Ahead(m.now, 0), m.model.work(); got != want {
		t.Fatalf("Ahead of none: %v, want %v", got, want)
	}
}

func (m *queueMachine) Remove(t *rapid.T) {
	if len(m.pushed) == 0 {
		t.Skip("nothing was pushed")
	}
	w := rapid.SampledFrom(m.pushed).Draw(t, "removed")
	at := slices.IndexFunc(m.model.line, func(x waiting) bool { return x.id == w.id })
	got, ok := m.queue.Remove(w.handle)
	if ok != (at >= 0) || ok && got != w.id {
		t.Fatalf("Remove of %d: %d, %t; it is at %d", w.id, got, ok, at)
	}
	if ok {
		m.model.line = slices.Delete(m.model.line, at, at+1)
	}
}

func (m *queueMachine) Expire(t *rapid.T) {
	m.model.retire(m.now)
	got := m.queue.Expire(m.now)
	slices.Sort(got)
	slices.Sort(m.model.late)
	if !slices.Equal(got, m.model.late) {
		t.Fatalf("Expire: %v, want %v", got, m.model.late)
	}
	m.model.late = nil
}

func (m *queueMachine) TimePasses(t *rapid.T) {
	m.now += time.Duration(rapid.Int64Range(0, 20).Draw(t, "by"))
}

// Check runs after each of the others.
func (m *queueMachine) Check(t *rapid.T) {
	if m.queue.Len() != len(m.model.line) {
		t.Fatalf("Len %d, want %d", m.queue.Len(), len(m.model.line))
	}
	if got, want := m.queue.ExpectedWait(), m.model.work()/3; got != want {
		t.Fatalf("ExpectedWait %v, want %v", got, want)
	}
	want := m.model.nextExpiry()
	if at, ok := m.queue.NextExpiry(); ok != (want != 0) || at != want {
		t.Fatalf("NextExpiry %v, %t, want %v", at, ok, want)
	}
}

// nextExpiry is 0 if nothing will expire.
func (m *naiveQueue) nextExpiry() (next time.Duration) {
	for _, w := range m.line {
		at := w.entry.Deadline - w.entry.Fast + 1
		if w.entry.Deadline != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	return next
}

func randomEntry(t *rapid.T, now time.Duration) sched.Entry {
	e := sched.Entry{
		Arrived:  now + 1 - time.Duration(rapid.Int64Range(0, 1).Draw(t, "before")),
		Mean:     time.Duration(rapid.Int64Range(0, 100).Draw(t, "mean")),
		Fast:     time.Duration(rapid.Int64Range(0, 5).Draw(t, "fast")),
		Weight:   rapid.SampledFrom([]float64{0, 0.5, 1, 2}).Draw(t, "weight"),
		Priority: rapid.IntRange(0, 1).Draw(t, "priority"),
	}
	if rapid.Bool().Draw(t, "has a deadline") {
		e.Deadline = now + 10 + time.Duration(rapid.Int64Range(0, 50).Draw(t, "deadline"))
	}
	return e
}

func TestQueueRoom(t *testing.T) {
	const second = time.Second
	cases := []struct {
		name    string
		cfg     sched.QueueConfig
		waiting int
		entry   sched.Entry
		full    string // part of the error, "" for none
	}{
		{"empty", sched.QueueConfig{}, 0, sched.Entry{}, ""},
		{"last place", sched.QueueConfig{}, 1023, sched.Entry{}, ""},
		{"no place", sched.QueueConfig{}, 1024, sched.Entry{}, "1024 wait and 1024 may"},
		{"just in time", sched.QueueConfig{}, 0, sched.Entry{Wait: 10 * second}, ""},
		{"too long", sched.QueueConfig{}, 0, sched.Entry{Wait: 11 * second}, "would wait 11s and may wait 10s"},
		{"deadline allows more", sched.QueueConfig{}, 0,
			sched.Entry{Arrived: second, Deadline: 61 * second, Wait: 59 * second}, ""},
		{"deadline allows less", sched.QueueConfig{}, 0,
			sched.Entry{Arrived: second, Deadline: 2 * second, Wait: 3 * second}, "may wait 1s"},
		{"deadline over", sched.QueueConfig{}, 0,
			sched.Entry{Arrived: 5 * second, Deadline: 2 * second, Wait: 1}, "may wait 0s"},
		{"exact ignores the wait", sched.QueueConfig{MaxCount: 4, Exact: true}, 3, sched.Entry{Wait: time.Hour}, ""},
		{"exact is exact", sched.QueueConfig{MaxCount: 4, Exact: true}, 4, sched.Entry{}, "4 wait and 4 may"},
		{"exactly none", sched.QueueConfig{Exact: true}, 0, sched.Entry{}, "0 wait and 0 may"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := sched.NewQueue[int](c.cfg)
			for i := range c.waiting {
				if _, err := q.Push(i, sched.Entry{}); err != nil {
					t.Fatalf("push %d: %v", i, err)
				}
			}
			before := q.Room(c.entry)
			_, err := q.Push(-1, c.entry)
			if (err == nil) != (c.full == "") || (before == nil) != (err == nil) {
				t.Fatalf("Room %v, Push %v, want %q", before, err, c.full)
			}
			if err != nil && (!errors.Is(err, sched.ErrQueueFull) || !strings.Contains(err.Error(), c.full)) {
				t.Errorf("error %q, want a full queue with %q", err, c.full)
			}
		})
	}
}

func TestQueueOrders(t *testing.T) {
	entries := []sched.Entry{
		{Arrived: 1},
		{Arrived: 2, Deadline: 900},
		{Arrived: 4, Deadline: 500},
		{Arrived: 3, Deadline: 500}, // came late from elsewhere
		{Arrived: 5, Priority: 1},
	}
	cases := []struct {
		name  string
		order sched.Order
		want  []int
	}{
		{"fifo", sched.OrderFIFO, []int{4, 0, 1, 3, 2}},
		{"deadline", sched.OrderDeadline, []int{4, 3, 2, 1, 0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := sched.NewQueue[int](sched.QueueConfig{Order: c.order})
			for i, e := range entries {
				if _, err := q.Push(i, e); err != nil {
					t.Fatal(err)
				}
			}
			var got []int
			for item, ok := q.Pop(10); ok; item, ok = q.Pop(10) {
				got = append(got, item)
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQueueExpiry(t *testing.T) {
	const ms = time.Millisecond
	cases := []struct {
		name  string
		entry sched.Entry
		now   time.Duration
		want  bool
	}{
		{"no deadline", sched.Entry{Fast: time.Hour}, time.Hour, false},
		{"before it", sched.Entry{Deadline: 100 * ms}, 99 * ms, false},
		{"past it", sched.Entry{Deadline: 100 * ms}, 101 * ms, true},
		{"a fast service fits", sched.Entry{Deadline: 100 * ms, Fast: 20 * ms}, 80 * ms, false},
		{"not even a fast one fits", sched.Entry{Deadline: 100 * ms, Fast: 20 * ms}, 81 * ms, true},
		{"only the mean does not fit", sched.Entry{Deadline: 100 * ms, Fast: 20 * ms, Mean: 90 * ms}, 50 * ms, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := sched.NewQueue[string](sched.QueueConfig{Exact: true, MaxCount: 1})
			handle, err := q.Push("it", c.entry)
			if err != nil {
				t.Fatal(err)
			}
			if _, served := q.Pop(c.now); served == c.want {
				t.Fatalf("Pop served it: %t", served)
			}
			if got := len(q.Expire(c.now)) == 1; got != c.want {
				t.Errorf("expired %t, want %t", got, c.want)
			}
			if _, ok := q.Remove(handle); ok || q.Len() != 0 || q.ExpectedWait() != 0 {
				t.Error("it is still there")
			}
		})
	}
}

func TestZeroHandleRemovesNothing(t *testing.T) {
	q := sched.NewQueue[int](sched.QueueConfig{})
	if _, err := q.Push(7, sched.Entry{}); err != nil {
		t.Fatal(err)
	}
	if _, ok := q.Remove(sched.Handle{}); ok || q.Len() != 1 {
		t.Error("the zero Handle removed an entry")
	}
}

func TestQueueDoesNotAllocateOnceGrown(t *testing.T) {
	q := sched.NewQueue[int](sched.QueueConfig{})
	turn := func() {
		for i := range 32 {
			e := sched.Entry{Arrived: time.Duration(i), Deadline: time.Hour, Mean: time.Millisecond}
			if h, err := q.Push(i, e); err != nil || i%4 == 0 {
				q.Remove(h)
			}
		}
		for _, ok := q.Pop(0); ok; _, ok = q.Pop(0) {
		}
	}
	turn()
	if allocs := testing.AllocsPerRun(100, turn); allocs != 0 {
		t.Errorf("%v allocations a turn", allocs)
	}
}

func BenchmarkQueue(b *testing.B) {
	for _, waiting := range []int{10, 1000} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			q := sched.NewQueue[int](sched.QueueConfig{})
			var now time.Duration
			push := func() {
				now++
				if _, err := q.Push(0, sched.Entry{Arrived: now, Deadline: now + time.Hour, Mean: 1}); err != nil {
					b.Fatal(err)
				}
			}
			for range waiting {
				push()
			}
			b.ReportAllocs()
			for b.Loop() {
				push()
				q.Pop(now)
			}
		})
	}
}

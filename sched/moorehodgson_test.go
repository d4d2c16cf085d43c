package sched_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

// job has a deadline and takes exactly its mean.
type job struct{ mean, deadline time.Duration }

// mostOnTime is the largest number of jobs that one server can end in time, by
// trying all subsets in deadline order.
func mostOnTime(jobs []job) int {
	sorted := slices.Clone(jobs)
	slices.SortStableFunc(sorted, func(a, b job) int { return int(a.deadline - b.deadline) })
	most := 0
	for subset := range 1 << len(sorted) {
		var now time.Duration
		count, feasible := 0, true
		for i, j := range sorted {
			if subset>>i&1 == 1 {
				now += j.mean
				count++
				feasible = feasible && now <= j.deadline
			}
		}
		if feasible {
			most = max(most, count)
		}
	}
	return most
}

func TestMooreHodgsonServesTheMostOnTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jobs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) job {
			return job{
				mean:     time.Duration(rapid.IntRange(1, 20).Draw(t, "mean")),
				deadline: time.Duration(rapid.IntRange(1, 60).Draw(t, "deadline")),
			}
		}), 0, 9).Draw(t, "jobs")
		q := sched.NewQueue[job](sched.QueueConfig{
			Order: sched.OrderMooreHodgson, MaxCount: len(jobs), Exact: true,
			KeepLate: rapid.Bool().Draw(t, "keep late"),
		})
		for _, j := range jobs {
			if _, err := q.Push(j, sched.Entry{Deadline: j.deadline, Mean: j.mean}); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := serveAll(q), mostOnTime(jobs); got != want {
			t.Fatalf("%d of %v on time, want %d", got, jobs, want)
		}
	})
}

// serveAll counts how many one server ends on time.
func serveAll(q *sched.Queue[job]) (onTime int) {
	var now time.Duration
	for j, ok := q.Pop(now); ok; j, ok = q.Pop(now) {
		if now += j.mean; now <= j.deadline {
			onTime++
		}
	}
	return onTime
}

func TestMooreHodgson(t *testing.T) {
	cases := []struct {
		name    string
		servers int
		entries []sched.Entry
		want    []int // in which order they are served, all at time 0
	}{
		{"all can be on time: deadline order", 1, []sched.Entry{{Mean: 10, Deadline: 90}, {Mean: 10, Deadline: 50}}, []int{1, 0}},
		{"the longest makes way", 1, []sched.Entry{{Mean: 50, Deadline: 50}, {Mean: 10, Deadline: 55}, {Mean: 10, Deadline: 59}}, []int{1, 2, 0}},
		{"of the longest the first", 1, []sched.Entry{{Mean: 30, Deadline: 40}, {Mean: 30, Deadline: 50}}, []int{1, 0}},
		{"two servers need nobody to make way", 2, []sched.Entry{{Mean: 30, Deadline: 30}, {Mean: 30, Deadline: 45}}, []int{0, 1}},
		{"a long one that fits nowhere is the last", 1, []sched.Entry{{Mean: 50, Deadline: 20}, {Mean: 10, Deadline: 60}}, []int{1, 0}},
		{"none fits: the likeliest", 1, []sched.Entry{
			{Mean: 50, Spread: 1, Deadline: 20}, {Mean: 30, Spread: 1, Deadline: 29}, {Mean: 40, Deadline: 30}}, []int{1, 0, 2}},
		{"a service that varies needs time to spare", 1, []sched.Entry{{Mean: 10, Spread: 1, Deadline: 14}, {Mean: 10, Deadline: 20}}, []int{1, 0}},
		{"and with it comes first", 1, []sched.Entry{{Mean: 10, Spread: 1, Deadline: 15}, {Mean: 10, Deadline: 20}}, []int{0, 1}},
		{"without deadlines as they came", 1, []sched.Entry{{Mean: 50, Arrived: 2}, {Mean: 10, Arrived: 1}}, []int{1, 0}},
		{"far from all deadlines as they came", 1, []sched.Entry{{Mean: 10, Arrived: 2, Deadline: 500}, {Mean: 10, Arrived: 1, Deadline: 501}, {Mean: 10, Arrived: 3}}, []int{1, 0, 2}},
		{"far off for fewer of them", 1, []sched.Entry{{Mean: 10, Arrived: 1, Deadline: 501}, {Mean: 10, Arrived: 2, Deadline: 320}, {Mean: 10, Arrived: 3, Deadline: 310}}, []int{2, 0, 1}},
		{"far off for the first, not for one that takes long", 1, []sched.Entry{{Mean: 10, Weight: 0.1, Arrived: 1, Deadline: 900}, {Mean: 180, Weight: 0.1, Arrived: 2, Deadline: 220}, {Mean: 1, Arrived: 3, Deadline: 210}}, []int{2, 1, 0}},
		{"priority before arrival", 1, []sched.Entry{{Mean: 10, Arrived: 1, Deadline: 500}, {Mean: 10, Arrived: 2, Deadline: 900, Priority: 1}}, []int{1, 0}},
		{"priority before deadline", 1, []sched.Entry{{Mean: 10, Deadline: 10}, {Mean: 50, Deadline: 20, Priority: 1}}, []int{1, 0}},
		{"a low priority makes nobody late", 1, []sched.Entry{
			{Mean: 10, Deadline: 10}, {Mean: 10, Deadline: 20, Priority: 1}, {Mean: 15, Deadline: 30, Priority: 1}}, []int{1, 2, 0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := sched.NewQueue[int](sched.QueueConfig{Order: sched.OrderMooreHodgson, Servers: c.servers, KeepLate: true})
			for i, e := range c.entries {
				if _, err := q.Push(i, e); err != nil {
					t.Fatal(err)
				}
			}
			var got []int
			for item, ok := q.Pop(0); ok; item, ok = q.Pop(0) {
				got = append(got, item)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("served %v, want %v", got, c.want)
			}
		})
	}
}

func TestAheadOfALineAtEase(t *testing.T) {
	q := sched.NewQueue[int](sched.QueueConfig{Order: sched.OrderMooreHodgson})
	for i := range 10 {
		if _, err := q.Push(i, sched.Entry{Arrived: time.Duration(i), Mean: 100, Deadline: time.Duration(20_000 + 1000*i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ deadline, want time.Duration }{
		{0, 1000}, {30_000, 1000}, {11_000, 1000}, {9_000, 0}, // too near for all to be served as they came
	} {
		if got := q.Ahead(20, c.deadline); got != c.want {
			t.Errorf("%v of work ahead of a newcomer due at %v, want %v", got, c.deadline, c.want)
		}
	}
}

// The earliest deadlines are the ones that cannot all be on time: the costliest
// line to choose from.
func BenchmarkMooreHodgson(b *testing.B) {
	for _, waiting := range []int{10, 100, 1000} {
		for _, late := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d waiting, some late %t", waiting, late), func(b *testing.B) {
				q := sched.NewQueue[int](sched.QueueConfig{Order: sched.OrderMooreHodgson, KeepLate: true})
				var now time.Duration
				push := func() {
					now++
					e := sched.Entry{Arrived: now, Deadline: now + time.Hour, Mean: 1 + now%7, Spread: 1}
					if late {
						e.Deadline = now + time.Duration(2*waiting)
					}
					if _, err := q.Push(0, e); err != nil {
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
}

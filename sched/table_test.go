package sched_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

func table(names ...string) *sched.Table {
	t := &sched.Table{}
	for _, name := range names {
		t.Join(sched.Neighbour{ID: peer.ID(name)})
	}
	return t
}

func ids(list []sched.Neighbour) (names []string) {
	for i := range list {
		names = append(names, string(list[i].ID))
	}
	return names
}

const second = time.Second

// TestTableNewest: the newest sample wins, of two of one moment that with the larger wait.
func TestTableNewest(t *testing.T) {
	tb := table("a")
	steps := []struct {
		wait, sampled time.Duration
		news          bool
	}{{3, 10, true}, {5, 9, false}, {2, 10, false}, {3, 10, false}, {4, 10, true}, {1, 11, true}}
	for i, s := range steps {
		if got := tb.Hear(0, &sched.Load{Wait: s.wait}, s.sampled); got != s.news {
			t.Errorf("step %d: news is %t", i, got)
		}
	}
	if n := tb.At(0); n.Load.Wait != 1 || n.Sampled != 11 {
		t.Errorf("believed is %v of %v", n.Load.Wait, n.Sampled)
	}
}

// TestTableSends: a send counts until a report was sampled after it arrived, or
// it has ended; not just until a newer report comes.
func TestTableSends(t *testing.T) {
	tb := table("a")
	tb.Hear(0, &sched.Load{}, 1*second)
	tb.Send(0, 3*second, 100)
	second2 := tb.Send(0, 5*second, 10)
	third := tb.Send(0, 5*second, 1)
	want := func(what string, count int, work time.Duration) {
		t.Helper()
		if n := tb.At(0); n.OwnSends != count || n.OwnWork != work {
			t.Errorf("%s: %d sends of %d, want %d of %d", what, n.OwnSends, n.OwnWork, count, work)
		}
	}
	want("sent", 3, 111)
	tb.Hear(0, &sched.Load{}, 2*second)
	want("report of before", 3, 111)
	tb.Hear(0, &sched.Load{}, 4*second)
	want("report of after the first", 2, 11)
	tb.Ended(0, third)
	tb.Ended(0, third)
	want("third ended", 1, 10)
	tb.Hear(0, &sched.Load{}, 6*second)
	want("report of after all", 0, 0)
	tb.Ended(0, second2)
	want("ended after it was reported", 0, 0)
}

func TestTableCandidates(t *testing.T) {
	tb := table("c", "a", "b")
	if got := ids(tb.Candidates(0, second)); got != nil {
		t.Errorf("never heard: %v", got)
	}
	for i := range tb.Len() {
		tb.Hear(i, &sched.Load{}, time.Duration(i)*second)
	}
	for _, c := range []struct {
		now  time.Duration
		want []string
	}{{2 * second, []string{"a", "b", "c"}}, {4 * second, []string{"b", "c"}}, {10 * second, nil}, {2 * second, []string{"a", "b", "c"}}} {
		if diff := cmp.Diff(c.want, ids(tb.Candidates(c.now, 3*second))); diff != "" {
			t.Errorf("at %v: %s", c.now, diff)
		}
	}
	tb.Leave("b")
	if diff := cmp.Diff([]string{"a", "c"}, ids(tb.Candidates(2*second, 3*second))); diff != "" {
		t.Error(diff)
	}
}

// TestTableBreaker: who fails is left alone for a second, then tried once; each
// further failure doubles the pause.
func TestTableBreaker(t *testing.T) {
	tb := table("a")
	there := func(now time.Duration) bool {
		tb.Hear(0, &sched.Load{}, now)
		return len(tb.Candidates(now, second)) == 1
	}
	tb.Failed(0, there0(t, there, 0))
	want := func(now time.Duration, is bool) {
		t.Helper()
		if there(now) != is {
			t.Errorf("at %v: candidate is %t", now, !is)
		}
	}
	want(second-1, false)
	want(second, true)
	tb.Promise(0, second) // the one attempt
	want(second+1, false)
	tb.Failed(0, 2*second)
	want(4*second-1, false)
	want(4*second, true)
	tb.Promise(0, 4*second)
	tb.Answered(0)
	want(4*second+1, true)
	if h := tb.At(0).Health; h <= 0.6 || h >= 1 {
		t.Errorf("health is %v", h)
	}
}

func there0(t *testing.T, there func(time.Duration) bool, now time.Duration) time.Duration {
	t.Helper()
	if !there(now) {
		t.Fatal("no candidate before it failed")
	}
	return now
}

// TestTableHonesty: who claims to be idle and refuses loses honesty, and is left
// alone in the end; who is full as it says does not.
func TestTableHonesty(t *testing.T) {
	tb := table("full", "liar")
	tb.Hear(0, &sched.Load{Servers: 1, Running: 1, Wait: 1}, 0)
	tb.Hear(1, &sched.Load{Servers: 1}, 0)
	for range 8 {
		for i := range 2 {
			tb.Refused(i, tb.Promise(i, 0), 0)
		}
	}
	if tb.At(0).Honesty != 1 || tb.At(1).Honesty > 0.2 {
		t.Errorf("honesty is %v and %v", tb.At(0).Honesty, tb.At(1).Honesty)
	}
	if diff := cmp.Diff([]string{"full"}, ids(tb.Candidates(0, second))); diff != "" {
		t.Error(diff)
	}
	old := tb.Promise(0, 5*second)
	tb.Refused(0, old, 5*second)
	if tb.At(0).Honesty != 1 {
		t.Error("an old report is held against it")
	}
}

// TestTableFreshest is a property: the entries are the newest ones, in order, none
// of the receiver or older than wanted, and count own sends.
func TestTableFreshest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tb := &sched.Table{}
		count := rapid.IntRange(0, 20).Draw(rt, "neighbours")
		for i := range count {
			tb.Join(sched.Neighbour{ID: peer.ID(fmt.Sprintf("%02d", i))})
		}
		for i := range count {
			if rapid.Bool().Draw(rt, "heard") {
				tb.Hear(i, &sched.Load{Servers: 1, Queued: 2}, time.Duration(rapid.IntRange(0, 30).Draw(rt, "sampled")))
			}
			for range rapid.IntRange(0, 2).Draw(rt, "sends") {
				tb.Send(i, 100, 7)
			}
		}
		since := time.Duration(rapid.IntRange(0, 10).Draw(rt, "since"))
		most := rapid.IntRange(1, 8).Draw(rt, "most")
		got := tb.Freshest(nil, most, since, 3)
		eligible := make(map[int]time.Duration)
		for i := range count {
			if n := tb.At(i); n.Load.Servers > 0 && n.Sampled >= since && i != 3 {
				eligible[i] = n.Sampled
			}
		}
		if len(got) != min(most, len(eligible)) {
			rt.Fatalf("%d entries of %d, most %d", len(got), len(eligible), most)
		}
		for at, e := range got {
			n := tb.At(e.Place)
			if sampled, ok := eligible[e.Place]; !ok || sampled != e.Sampled || at > 0 && got[at-1].Sampled < e.Sampled {
				rt.Fatalf("entry %d is %+v", at, e)
			}
			if e.Load.Queued != 2+n.OwnSends || e.Load.Wait != n.OwnWork {
				rt.Fatalf("entry %+v does not count %d sends of %v", e, n.OwnSends, n.OwnWork)
			}
			delete(eligible, e.Place)
		}
		for _, sampled := range eligible {
			if len(got) > 0 && sampled > got[len(got)-1].Sampled {
				rt.Fatalf("left out one of %v, with %+v in", sampled, got)
			}
		}
	})
}

func BenchmarkTableHear(b *testing.B) {
	tb := &sched.Table{}
	for i := range 64 {
		tb.Join(sched.Neighbour{ID: peer.ID(fmt.Sprintf("%02d", i))})
	}
	load := &sched.Load{Servers: 1}
	b.ReportAllocs()
	for i := range b.N {
		tb.Hear(i%64, load, time.Duration(i))
	}
}

func BenchmarkTableFreshest(b *testing.B) {
	tb := &sched.Table{}
	for i := range 64 {
		tb.Join(sched.Neighbour{ID: peer.ID(fmt.Sprintf("%02d", i))})
		tb.Hear(i, &sched.Load{Servers: 1}, time.Duration(i*37%64))
	}
	var dst []sched.Told
	b.ReportAllocs()
	for range b.N {
		dst = tb.Freshest(dst[:0], 8, 0, 0)
	}
}

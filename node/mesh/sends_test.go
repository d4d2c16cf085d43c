package mesh

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

func TestOwnSendsCountUntilReported(t *testing.T) {
	var s sends
	s.add(100*ms, 10*ms, 5*ms, promise{})
	s.add(105*ms, 10*ms, 7*ms, promise{})
	s.reported(110 * ms) // the first arrives at that moment: not included for certain
	if s.count != 2 {
		t.Fatalf("count %d after a report made before both had arrived, want 2", s.count)
	}
	s.reported(112 * ms)
	if s.count != 1 {
		t.Fatalf("count %d after a report between the arrivals, want 1", s.count)
	}
	s.done(100 * ms) // the reported one: the other still counts
	if s.count != 1 || len(s.list) != 1 {
		t.Fatalf("count %d of %d after the reported one ended, want 1 of 1", s.count, len(s.list))
	}
	s.done(105 * ms)
	if s.count != 0 || len(s.list) != 0 {
		t.Fatalf("count %d of %d after both ended, want 0 of 0", s.count, len(s.list))
	}
	if _, ok := s.done(0); ok {
		t.Fatal("something ended that was never sent")
	}
}

func TestDoneReturnsItsOwnPromise(t *testing.T) {
	var s sends
	for i := range 5 {
		s.add(time.Duration(i)*ms, ms, ms, promise{wait: time.Duration(i)})
	}
	p, ok := s.done(3*ms + 20*time.Microsecond)
	if !ok || p.wait != 3 {
		t.Fatalf("promise %v %v, want that of the send at 3 ms", p, ok)
	}
}

// The count is that of outstanding sends that no report included, whatever the order.
func TestSendsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sends
		now := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 20).Draw(t, "dt")) * ms
			switch rapid.SampledFrom([]string{"send", "report", "done"}).Draw(t, "what") {
			case "send":
				s.add(now, time.Duration(rapid.IntRange(0, 30).Draw(t, "one way"))*ms, ms, promise{})
			case "report":
				s.reported(now - time.Duration(rapid.IntRange(0, 50).Draw(t, "age"))*ms)
			case "done":
				s.done(now - time.Duration(rapid.IntRange(0, 50).Draw(t, "took"))*ms)
			}
			counted := 0
			for _, x := range s.list {
				if x.counted {
					counted++
				}
			}
			if s.count != counted || s.count < 0 {
				t.Fatalf("count %d, but %d are counted", s.count, counted)
			}
		}
	})
}

func TestSendsAreBounded(t *testing.T) {
	var s sends
	for i := range 3 * maxSends {
		s.add(time.Duration(i), 0, 0, promise{})
	}
	if len(s.list) != maxSends || s.count != maxSends {
		t.Fatalf("%d kept, %d counted, want %d", len(s.list), s.count, maxSends)
	}
}

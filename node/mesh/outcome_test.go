package mesh

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

func TestOwnSendsInFill(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p", fn("resize", 1))
	n.rtt.add(f.now(), 20*ms)
	sends := func() int { return f.Fill(nil, "resize", [8]byte{})[0].OwnSends }
	f.Sent("p", "fn", time.Second)
	f.clock.add(15 * ms)
	// Made 10 ms before it came here, that is 5 ms after we sent: before it arrived.
	f.says("p", load.Report{Servers: 4})
	if sends() != 1 {
		t.Fatal("a report from before its arrival covers a send")
	}
	f.clock.add(10 * ms)
	f.says("p", load.Report{Servers: 4, Running: 1})
	if sends() != 0 {
		t.Fatal("a report from after its arrival does not cover a send")
	}
	f.Sent("p", "fn", time.Second)
	f.clock.add(5 * ms)
	f.Done("p", Done{Result: Answered, Took: 5 * ms})
	if sends() != 0 || len(n.sends.list) != 1 {
		t.Fatalf("%d sends counted and %d kept after the second ended, want 0 and the first", sends(), len(n.sends.list))
	}
}

func TestDoneJudges(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p", fn("resize", 1))
	f.Sent("p", "fn", time.Second)
	f.Done("p", Done{Result: Refused})
	if n.honesty >= 1 || n.health != 1 || len(f.ids("resize", [8]byte{})) != 1 {
		t.Fatalf("refused while idle: honesty %v, health %v", n.honesty, n.health)
	}
	low := n.honesty
	f.Sent("p", "fn", time.Second)
	f.Done("p", Done{Result: Answered, Waited: time.Minute})
	if n.honesty >= low {
		t.Fatal("a late start costs no honesty")
	}
	low = n.honesty
	f.Sent("p", "fn", time.Second)
	f.Done("p", Done{Result: Answered, Waited: ms})
	if n.honesty <= low {
		t.Fatal("a kept promise earns no honesty")
	}
	f.Sent("p", "fn", time.Second)
	f.Done("p", Done{Result: NotReached})
	if n.health >= 1 || len(f.ids("resize", [8]byte{})) != 0 {
		t.Fatal("a neighbour that was not reached is still a candidate")
	}
	f.clock.add(time.Second)
	if len(f.ids("resize", [8]byte{})) != 1 {
		t.Fatal("no candidate after its pause")
	}
	f.Sent("p", "fn", time.Second)
	if len(f.ids("resize", [8]byte{})) != 0 {
		t.Fatal("a candidate while the one attempt is under way")
	}
	f.Done("p", Done{Result: Answered, Bytes: 1 << 20, Transfer: time.Second})
	if c := f.Fill(nil, "resize", [8]byte{}); len(c) != 1 || c[0].Throughput != 1<<20 {
		t.Fatalf("after a success: %+v", c)
	}
	health := n.health
	f.Sent("p", "fn", time.Second)
	f.Done("p", Done{Result: Abandoned})
	if n.health != health || n.sends.count != 0 {
		t.Fatal("an abandoned one says something of the neighbour")
	}
	f.Sent("unknown", "fn", time.Second)
	f.Done("unknown", Done{Result: Failed})
}

// What is broken about one function must not cost a neighbour its other ones,
// and whoever is the only one with a function is asked all the same.
func TestUnfitForOneFunction(t *testing.T) {
	n := newNeighbour("p", host.Member{}, 0)
	for range 20 {
		n.done(0, Done{Function: "bad", Result: Unfit})
	}
	if !n.paused("bad", 0) || n.healthFor("bad") > doubtful {
		t.Errorf("bad: paused %v, health %v", n.paused("bad", 0), n.healthFor("bad"))
	}
	if n.paused("good", 0) || n.healthFor("good") != 1 || !n.breaker.allows(0) {
		t.Errorf("good: paused %v, health %v", n.paused("good", 0), n.healthFor("good"))
	}
	n.done(0, Done{Function: "bad", Result: Answered})
	if n.paused("bad", 0) || n.healthFor("bad") != 1 {
		t.Error("it was answered: all is well again")
	}
}

func TestTheOnlyOneIsAskedAllTheSame(t *testing.T) {
	f := newFixture(t, 0)
	f.join("p", fn("resize", 1))
	for range 20 {
		f.Sent("p", "fn", time.Second)
		f.Done("p", Done{Function: "resize", Result: Unfit})
	}
	if got := f.ids("resize", [8]byte{}); len(got) != 1 {
		t.Errorf("candidates %v, want the only one there is", got)
	}
	f.join("q", fn("resize", 1))
	if got := f.ids("resize", [8]byte{}); len(got) != 1 || got[0] != "q" {
		t.Errorf("candidates %v, want the one that did not fail", got)
	}
	f.left("q")
	if ago, ok := f.Gone("resize"); !ok || ago != 0 {
		t.Errorf("gone %v ago, %v; want just now", ago, ok)
	}
}

// A neighbour that is slower than it says still answers: it is asked if nobody else
// is left, unlike one that fails.
func TestWhoOnlyBreaksPromisesIsAskedAtLast(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p", fn("resize", 1))
	for n.breaker.allows(f.now()) {
		f.says("p", load.Report{Servers: 4})
		f.Sent("p", "fn", ms)
		f.Done("p", Done{Function: "resize", Result: Answered, Waited: time.Minute})
	}
	if got := f.ids("resize", [8]byte{}); len(got) != 1 {
		t.Errorf("candidates %v, want the only one there is", got)
	}
	f.join("q", fn("resize", 1))
	if got := f.ids("resize", [8]byte{}); len(got) != 1 || got[0] != "q" {
		t.Errorf("candidates %v, want the one that keeps its promises", got)
	}
	f.left("q")
	f.clock.add(f.table.members["p"].breaker.until - f.now())
	f.says("p", load.Report{Servers: 4})
	f.Sent("p", "fn", ms)
	f.Done("p", Done{Function: "resize", Result: NotReached})
	if got := f.ids("resize", [8]byte{}); len(got) != 0 {
		t.Errorf("candidates %v, but it fails now", got)
	}
}

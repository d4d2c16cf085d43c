package autoscale

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// trial is a function under a Scaler: what happened so far.
type trial struct {
	*Scaler
	Sample
}

func newTrial(p Policy) *trial {
	return &trial{New(p), Sample{At: time.Unix(1e9, 0), Replicas: p.Min}}
}

// second lets calls finish evenly, so many of them being under way.
func (tr *trial) second(finished uint64, calls int, cores float64) int {
	tr.At = tr.At.Add(time.Second)
	tr.Finished += finished
	tr.Calls = calls
	tr.Busy += time.Duration(calls) * time.Second
	tr.CPU += time.Duration(cores * float64(time.Second))
	tr.Replicas = tr.Next(tr.Sample)
	return tr.Replicas
}

func (tr *trial) seconds(n int, finished uint64, calls int, cores float64) (replicas []int) {
	for range n {
		replicas = append(replicas, tr.second(finished, calls, cores))
	}
	return replicas
}

func policy(change func(*Policy)) Policy {
	p, _ := Parse(nil)
	p.Proportion, p.Factor, p.ByLoad = 1, 100, true
	change(&p)
	return p
}

func expect(t *testing.T, what string, got []int, want ...int) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %v replicas, want %v", what, got, want)
	}
}

func TestLoads(t *testing.T) {
	rps := newTrial(policy(func(p *Policy) { p.Max, p.Target = 20, 50 }))
	expect(t, "idle", rps.seconds(2, 0, 0, 0), 1, 1)
	expect(t, "200 calls a second", rps.seconds(3, 200, 2, 0), 2, 4, 4)
	expect(t, "more than max", rps.seconds(2, 90000, 2, 0), 20, 20)

	capacity := newTrial(policy(func(p *Policy) { p.Max, p.Type, p.Target, p.Proportion = 20, Capacity, 5, 0.9 }))
	expect(t, "15 calls at once", capacity.seconds(4, 1, 15, 0), 1, 4, 4, 4)

	cpu := newTrial(policy(func(p *Policy) { p.Max, p.Type, p.Target = 20, CPU, 500 }))
	expect(t, "2 cores", cpu.seconds(4, 0, 1, 2), 1, 4, 4, 4)
}

func TestSteps(t *testing.T) {
	tr := newTrial(policy(func(p *Policy) { p.Max, p.Factor, p.Target = 20, 10, 1 }))
	expect(t, "10 percent of 20 at a time", tr.seconds(5, 100, 1, 0), 1, 3, 5, 7, 9)
	small := newTrial(policy(func(p *Policy) { p.Max, p.Factor, p.Target = 5, 10, 1 }))
	expect(t, "at least one at a time", small.seconds(6, 100, 1, 0), 1, 2, 3, 4, 5, 5)
}

func TestDownWindow(t *testing.T) {
	tr := newTrial(policy(func(p *Policy) { p.Max, p.Target, p.DownWindow = 20, 10, 5*time.Second }))
	expect(t, "load", tr.seconds(3, 80, 1, 0), 1, 8, 8)
	// The mean falls to 40 and then to 0; 8 is remembered for 5 s.
	expect(t, "no load", tr.seconds(9, 0, 0, 0), 8, 8, 8, 8, 8, 4, 1, 1, 1)
}

func TestZero(t *testing.T) {
	tr := newTrial(policy(func(p *Policy) { p.Min, p.Max, p.ByLoad, p.Zero, p.ZeroAfter = 2, 2, false, true, 3*time.Second }))
	expect(t, "idle", tr.seconds(5, 0, 0, 0), 2, 2, 2, 0, 0)
	tr.Replicas = 1 // a call woke it
	expect(t, "woken", tr.seconds(2, 0, 1, 0), 2, 2)
	expect(t, "a long call", tr.seconds(5, 0, 1, 0), 2, 2, 2, 2, 2)
	expect(t, "and none", tr.seconds(4, 0, 0, 0), 2, 2, 0, 0)
}

func TestByHand(t *testing.T) {
	tr := newTrial(policy(func(p *Policy) { p.DownWindow, p.Zero, p.ZeroAfter = 3*time.Second, true, 10*time.Second }))
	tr.seconds(9, 0, 0, 0)
	tr.Replicas = 4
	expect(t, "set to 4 by hand", tr.seconds(5, 0, 0, 0), 4, 4, 4, 4, 1)
	tr.Replicas = 0
	expect(t, "set to 0 by hand", tr.seconds(20, 0, 0, 0)[18:], 0, 0)
	tr.Replicas = 9
	expect(t, "set above max", tr.seconds(1, 0, 0, 0), 5)
}

// TestBounds: whatever happens, what is decided is within the policy.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			Min: rapid.IntRange(1, 5).Draw(t, "min"), Type: rapid.SampledFrom([]Type{RPS, Capacity, CPU}).Draw(t, "type"),
			Target: rapid.Float64Range(0.001, 1000).Draw(t, "target"), Proportion: rapid.Float64Range(0.01, 1).Draw(t, "proportion"),
			Factor: rapid.IntRange(1, 100).Draw(t, "factor"), Zero: rapid.Bool().Draw(t, "zero"), ByLoad: rapid.Bool().Draw(t, "by load"),
			DownWindow: time.Duration(rapid.IntRange(0, 5).Draw(t, "window")) * time.Second, ZeroAfter: time.Duration(rapid.IntRange(1, 5).Draw(t, "after")) * time.Second,
		}
		p.Max = p.Min + rapid.IntRange(0, 20).Draw(t, "more")
		tr := newTrial(p)
		for range rapid.IntRange(1, 30).Draw(t, "seconds") {
			if rapid.IntRange(0, 5).Draw(t, "hand") == 0 {
				tr.Replicas = rapid.IntRange(0, 30).Draw(t, "set")
			}
			before, calls := tr.Replicas, rapid.IntRange(0, 50).Draw(t, "calls")
			after := tr.second(rapid.Uint64Range(0, 1e6).Draw(t, "finished"), calls, rapid.Float64Range(0, 8).Draw(t, "cores"))
			switch {
			case before == 0 && after != 0:
				t.Fatalf("woke at %d", after)
			case before > 0 && after == 0 && (!p.Zero || calls > 0):
				t.Fatalf("to zero under %d calls of %+v", calls, p)
			case after > 0 && (after < p.Min || p.ByLoad && after > p.Max):
				t.Fatalf("%d of %+v", after, p)
			case after > max(before+p.step(), p.Min):
				t.Fatalf("from %d to %d of %+v", before, after, p)
			}
		}
	})
}

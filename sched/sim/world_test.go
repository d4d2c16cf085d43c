package sim

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

// TestNothingLeft: once all is over, nothing is in anybody's care, whatever
// happened on the way.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	names := sched.Names()
	names = slices.DeleteFunc(names, func(n string) bool { return n == "round-robin-master" })
	rapid.Check(t, func(rt *rapid.T) {
		sc := drawScenario(rt)
		opt := Options{Policy: rapid.SampledFrom(names).Draw(rt, "policy"), Seed: rapid.Uint64Range(1, 1000).Draw(rt, "seed")}
		opt.complete(sc)
		if err := sc.Check(); err != nil {
			rt.Fatal(err)
		}
		w, err := newWorld(sc, opt)
		if err != nil {
			rt.Fatal(err)
		}
		if err := w.run(context.Background()); err != nil {
			rt.Fatal(err)
		}
		check(rt, w)
	})
}

// check asserts what holds at the end. Calls that entered before the warm-up may
// still be open; those that count may not.
func check(rt *rapid.T, w *world) {
	if w.open != 0 {
		rt.Fatalf("%d invocations have not ended", w.open)
	}
	r := w.tally.sum(w)
	if sum := r.Served + r.Refused + r.Expired + r.Lost; r.Requests > 0 && (sum < 1-1e-9 || sum > 1+1e-9) {
		rt.Fatalf("fractions add up to %v", sum)
	}
	if got := w.legs.inUse(); got > 0 && w.sc.Warmup == 0 && len(w.sc.Events) == 0 {
		rt.Fatalf("%d legs have not ended", got)
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		if len(n.running) > n.servers || n.queue.Len() > n.room {
			rt.Fatalf("node %d runs %d on %d servers, %d wait in %d places", i, len(n.running), n.servers, n.queue.Len(), n.room)
		}
		if n.inbound < 0 {
			rt.Fatalf("%d are under way to node %d", n.inbound, i)
		}
	}
}

func (l *legs) inUse() int { return len(l.list) - len(l.unused) }

func drawScenario(rt *rapid.T) *Scenario {
	count := rapid.IntRange(1, 12).Draw(rt, "nodes")
	sc := &Scenario{
		Name: "drawn", Duration: 3 * time.Second, View: rapid.IntRange(1, 12).Draw(rt, "view"),
		Gossip:  rapid.SampledFrom([]time.Duration{0, 100 * time.Millisecond, time.Second}).Draw(rt, "gossip"),
		Network: Network{Delay: time.Duration(rapid.IntRange(0, 20).Draw(rt, "delay ms")) * time.Millisecond},
		Plain:   rapid.Bool().Draw(rt, "plain"),
		Expiry:  rapid.SampledFrom([]Expiry{ExpiryByPolicy, ExpiryOn, ExpiryOff}).Draw(rt, "expiry"),
		Nodes: []Group{{Count: count, Servers: rapid.IntRange(1, 3).Draw(rt, "servers"),
			Queue: rapid.IntRange(0, 5).Draw(rt, "queue"), Rate: []float64{10}, RateSigma: 1}},
		Load: Traffic{Utilisation: rapid.Float64Range(0.1, 2).Draw(rt, "utilisation")},
		Classes: []Class{
			{Share: 1, Function: "a", Service: 50 * time.Millisecond, Deadline: 200 * time.Millisecond},
			{Share: 1, Function: "b", Service: 20 * time.Millisecond, Distribution: Uniform},
		},
	}
	for range rapid.IntRange(0, 6).Draw(rt, "events") {
		e := Event{
			At:    time.Duration(rapid.IntRange(0, 3000).Draw(rt, "at ms")) * time.Millisecond,
			Nodes: []int{rapid.IntRange(0, count-1).Draw(rt, "node")},
		}
		switch rapid.IntRange(0, 2).Draw(rt, "what") {
		case 0:
			e.Kill = true
		case 1:
			e.Restart = true
		default:
			e.Speed = rapid.Float64Range(0.1, 3).Draw(rt, "speed")
		}
		sc.Events = append(sc.Events, e)
	}
	return sc
}

// TestAgenda: what comes out is in order of time, and of entry for the same time.
func TestAgenda(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var a agenda
		var want, got []event
		for _, at := range rapid.SliceOf(rapid.IntRange(-1, 5)).Draw(rt, "times") {
			if at < 0 && len(want) > 0 {
				first := slices.MinFunc(want, order)
				want = slices.DeleteFunc(want, func(e event) bool { return e == first })
				if e := a.next(); e != first {
					rt.Fatalf("next is %+v, want %+v", e, first)
				}
				continue
			}
			a.add(event{at: time.Duration(at)})
			want = append(want, event{at: time.Duration(at), order: a.orders})
		}
		for len(a.events) > 0 {
			got = append(got, a.next())
		}
		slices.SortFunc(want, order)
		if !slices.Equal(got, want) {
			rt.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func order(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order)) }

// TestHistogram: quantiles are right to a percent, and merging is adding.
func TestHistogram(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 1<<50), 1, 200).Draw(rt, "values")
		var whole, half, other Histogram
		for i, v := range values {
			whole.Add(time.Duration(v))
			if i%2 == 0 {
				half.Add(time.Duration(v))
			} else {
				other.Add(time.Duration(v))
			}
		}
		half.Merge(&other)
		slices.Sort(values)
		for _, q := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
			at := max(0, int(q*float64(len(values))+0.999999)-1)
			want, got := float64(values[at]), float64(whole.Quantile(q))
			if got < want*0.99-1 || got > want*1.01+1 {
				rt.Fatalf("quantile %v is %v, want %v of %v", q, got, want, values)
			}
			if merged := float64(half.Quantile(q)); merged != got {
				rt.Fatalf("quantile %v is %v merged, %v whole", q, merged, got)
			}
		}
		if whole.Below(time.Duration(values[len(values)-1])) != 1 {
			rt.Fatal("not all are below the largest")
		}
	})
}

// TestBuckets: buckets join up, and hold what they say.
func TestBuckets(t *testing.T) {
	t.Parallel()
	for i := range 5000 {
		if bucket(lower(i)) != i || lower(i+1) <= lower(i) || bucket(lower(i+1)-1) != i {
			t.Fatalf("bucket %d is from %d to %d", i, lower(i), lower(i+1))
		}
	}
}

// TestFlowRate: as many arrive as the scenario says, with traces and bursts.
func TestFlowRate(t *testing.T) {
	t.Parallel()
	sc := &Scenario{
		Name: "flow", Duration: 2000 * time.Second,
		Nodes: []Group{{Count: 2, Servers: 1, Queue: 1, Rate: []float64{10, 20}}},
		Load: Traffic{
			Trace: &Trace{At: []time.Duration{0, 1000 * time.Second}, Rows: [][]float64{{1, 0.5}, {0, 1}}},
			Burst: &Burst{Period: time.Second, On: 0.25, High: 2, Low: 0.5},
		},
		Classes: []Class{{Share: 3, Service: time.Millisecond}, {Share: 1, Service: time.Millisecond}},
	}
	w := &world{sc: sc, seed: 1, end: sc.Duration, classes: sc.Classes}
	w.place()
	w.pour()
	// Mean factor of bursts 0.875; of the trace 0.5 and 0.75.
	for i, want := range []float64{10 * .875 * .5 * .75, 10 * .875 * .5 * .25, 20 * .875 * .75 * .75, 20 * .875 * .75 * .25} {
		f := &w.flows[i]
		var count float64
		for f.next < sc.Duration {
			if f.node == 0 && f.next >= 1000*time.Second {
				t.Fatalf("node 0 has an arrival at %v, when its rate is 0", f.next)
			}
			count++
			w.advance(f)
		}
		got := count / sc.Duration.Seconds()
		if got < 0.9*want || got > 1.1*want {
			t.Errorf("flow %d: %.2f a second, want %.2f", i, got, want)
		}
	}
}

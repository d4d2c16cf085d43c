package sim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// twelve is a small scenario with everything in it that happens in others.
func twelve() *sim.Scenario {
	ms := time.Millisecond
	return &sim.Scenario{
		Name: "twelve", Duration: 20 * time.Second, Warmup: 5 * time.Second, Gossip: 500 * ms, View: 8,
		Network: sim.Network{Delay: 3 * ms, ZoneDelay: 30 * ms},
		Nodes: []sim.Group{
			{Count: 6, Servers: 1, Queue: 10, Rate: []float64{4, 8, 13, 15, 17, 19}, Zone: "a"},
			{Count: 6, Servers: 2, Queue: 10, Rate: []float64{20}, RateSigma: 0.5, Zone: "b", Speed: []float64{0.5}},
		},
		Load: sim.Traffic{Utilisation: 0.75, Burst: &sim.Burst{Period: time.Second, On: 0.5, High: 1.5, Low: 0.5}},
		Classes: []sim.Class{
			{Share: 0.7, Function: "short", Service: 25 * ms, Deadline: 100 * ms, Distribution: sim.Fixed},
			{Share: 0.3, Function: "long", Service: 100 * ms, Deadline: 400 * ms},
		},
		Events: []sim.Event{
			{At: 7 * time.Second, Nodes: []int{0, 7}, Kill: true},
			{At: 10 * time.Second, Nodes: []int{1}, Speed: 0.4, Announced: true},
			{At: 12 * time.Second, Nodes: []int{0, 7}, Restart: true},
			{At: 15 * time.Second, Nodes: []int{2}, Speed: 2},
		},
	}
}

// policies are those that are run in all of these tests.
func policies() []string {
	return append(sched.Names(), "perfect")
}

// TestSame: the same scenario and seed give the same result, to the last bit.
func TestSame(t *testing.T) {
	t.Parallel()
	for _, policy := range policies() {
		opt := sim.Options{Policy: policy, Seed: 7, Set: required(policy), Sample: time.Second}
		one, two := run(t, twelve(), opt), run(t, twelve(), opt)
		if diff := cmp.Diff(one, two, cmp.AllowUnexported(sim.Histogram{})); diff != "" {
			t.Errorf("%s: two runs differ:\n%s", policy, diff)
		}
		opt.Seed = 8
		if other := run(t, twelve(), opt); cmp.Equal(one.PerNode, other.PerNode) {
			t.Errorf("%s: another seed gives the same result", policy)
		}
	}
}

// required are the parameters without which a policy cannot be made.
func required(policy string) map[string]string {
	if policy == "round-robin-master" {
		return map[string]string{"master": sim.ID(0).String()}
	}
	return nil
}

func run(t *testing.T, sc *sim.Scenario, opt sim.Options) *sim.Result {
	t.Helper()
	r, err := sim.Run(context.Background(), sc, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// entered is what arrives, without what becomes of it.
type entered struct {
	at     time.Duration
	origin int
	class  int
}

// TestSameLoad: what arrives does not depend on the policy, and ends exactly once.
func TestSameLoad(t *testing.T) {
	t.Parallel()
	var want map[entered]int
	for _, policy := range policies() {
		got := make(map[entered]int)
		ends := make(map[string]int)
		r := run(t, twelve(), sim.Options{Policy: policy, Set: required(policy), Seed: 3, Record: func(r sim.Record) {
			got[entered{r.Entered, r.Origin, r.Class}]++
			ends[r.Result]++
		}})
		if want == nil {
			want = got
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%s: other invocations arrive than for %s", policy, policies()[0])
		}
		if sum := r.Served + r.Refused + r.Expired + r.Lost; sum < 1-1e-9 || sum > 1+1e-9 || r.Requests != len(want) {
			t.Errorf("%s: %d of %d requests have ended, fractions add up to %v", policy, r.Requests, len(want), sum)
		}
		if r.Lost == 0 {
			t.Errorf("%s: two nodes die with what has entered there, and nothing is lost", policy)
		}
	}
}

// TestServices: an invocation runs equally long whatever the policy, but for the
// speed of the node.
func TestServices(t *testing.T) {
	t.Parallel()
	sc := twelve()
	sc.Events = nil
	sc.Nodes[1].Speed = nil
	want := make(map[entered]time.Duration)
	for _, policy := range []string{"local", "power-of-n", "spread"} {
		run(t, sc, sim.Options{Policy: policy, Seed: 3, Record: func(r sim.Record) {
			key := entered{r.Entered, r.Origin, r.Class}
			if before, ran := want[key]; ran && r.Service > 0 && before != r.Service {
				t.Fatalf("%s: what entered at %v ran %v, with another policy %v", policy, r.Entered, r.Service, before)
			}
			if r.Service > 0 {
				want[key] = r.Service
			}
		}})
	}
}

// TestRecord: what is recorded is what the result counts.
func TestRecord(t *testing.T) {
	t.Parallel()
	var onTime, answered, moved int
	var last time.Duration
	r := run(t, twelve(), sim.Options{Policy: "spread", Seed: 5, Record: func(r sim.Record) {
		if r.OnTime {
			onTime++
		}
		if r.Result == "answered" {
			answered++
			if r.Executor != r.Origin {
				moved++
			}
			if r.Response < r.Waited+r.Service {
				t.Errorf("%+v: it took less time than its parts", r)
			}
		}
		last = max(last, r.Entered)
	}})
	n := float64(r.Requests)
	got := []float64{r.InDeadline, r.Served, r.Forwarded}
	if diff := cmp.Diff([]float64{float64(onTime) / n, float64(answered) / n, float64(moved) / n}, got); diff != "" {
		t.Error(diff)
	}
	if last >= twelve().Duration {
		t.Errorf("something entered at %v, after the end", last)
	}
	if r.Responses.Count() != answered {
		t.Errorf("the histogram holds %d responses of %d", r.Responses.Count(), answered)
	}
}

// TestBounds: nothing that decides once beats the one that knows everything, and
// that does not beat the pool.
func TestBounds(t *testing.T) {
	t.Parallel()
	sc := twelve()
	sc.Events, sc.Network = nil, sim.Network{Delay: 2 * time.Millisecond}
	sc.Nodes[1].Speed = nil
	sc.Duration = 40 * time.Second
	in := func(policy string, set map[string]string) float64 {
		return over(runs(t, sc, sim.Options{Policy: policy, Set: set}, 3), func(r *sim.Result) float64 { return r.InDeadline }).mean
	}
	order := []float64{
		in("local", nil), in("power-of-n", nil), in("perfect", nil), in("perfect", map[string]string{"expire": "true"}),
	}
	for i := range order[1:] {
		if order[i] >= order[i+1] {
			t.Errorf("on time of local, power-of-n, perfect, perfect with expiry: %.3f should rise", order)
		}
	}
	if pooled := in("pooled", map[string]string{"expire": "true"}); pooled < order[3] {
		t.Errorf("pooled %.3f is below perfect %.3f", pooled, order[3])
	}
}

// TestAdmission: in overload, refusing what is hopeless helps the rest.
func TestAdmission(t *testing.T) {
	t.Parallel()
	sc := alike(12, 1, 10, 1.15, 60*time.Second)
	sc.Classes[0].Deadline = 323 * time.Millisecond
	in := func(set map[string]string) float64 {
		return run(t, sc, sim.Options{Policy: "perfect", Set: set, Seed: 1}).InDeadline
	}
	plain, expire, admit := in(nil), in(map[string]string{"expire": "true"}), in(map[string]string{"expire": "true", "admit": "0.65"})
	if !(plain < expire && expire < admit) {
		t.Errorf("on time: plain %.3f, with expiry %.3f, with admission %.3f", plain, expire, admit)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	sc := twelve()
	sc.Duration = 4000 * time.Second
	var reached time.Duration
	_, err := sim.Run(ctx, sc, sim.Options{Policy: "local", Progress: func(now time.Duration) {
		reached = now
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || reached >= sc.Duration {
		t.Errorf("cancelled at %v: %v", reached, err)
	}
}

func TestUnknownPolicy(t *testing.T) {
	t.Parallel()
	_, err := sim.Run(context.Background(), twelve(), sim.Options{Policy: "spraed"})
	if !errors.Is(err, sched.ErrUnknownPolicy) {
		t.Errorf("got %v", err)
	}
	if _, err := sim.Run(context.Background(), twelve(), sim.Options{Policy: "pooled"}); !errors.Is(err, sim.ErrScenario) {
		t.Errorf("pooled nodes of unequal speed: %v", err)
	}
}

// BenchmarkSimulator tells events a second.
func BenchmarkSimulator(b *testing.B) {
	for _, policy := range []string{"local", "power-of-n", "spread", "perfect"} {
		b.Run(policy, func(b *testing.B) {
			sc := alike(12, 1, 10, 0.81, 100*time.Second)
			sc.Plain, sc.Gossip, sc.Network.Delay = false, 500*time.Millisecond, 3*time.Millisecond
			sc.Classes[0].Deadline = 323 * time.Millisecond
			var events uint64
			for i := range b.N {
				r, err := sim.Run(context.Background(), sc, sim.Options{Policy: policy, Seed: uint64(i + 1)})
				if err != nil {
					b.Fatal(err)
				}
				events += r.Events
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func ExampleRun() {
	sc := &sim.Scenario{
		Name: "two", Duration: time.Minute, Warmup: 10 * time.Second, Gossip: 500 * time.Millisecond, View: 64,
		Network: sim.Network{Delay: 3 * time.Millisecond},
		Nodes:   []sim.Group{{Count: 2, Servers: 1, Queue: 10, Rate: []float64{15, 1}}},
		Classes: []sim.Class{{Share: 1, Function: "work", Service: 60 * time.Millisecond, Deadline: 200 * time.Millisecond}},
	}
	for _, policy := range []string{"local", "spread"} {
		r, err := sim.Run(context.Background(), sc, sim.Options{Policy: policy, Seed: 1})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: more than 80 %% on time: %t\n", policy, r.InDeadline > 0.8)
	}
	// Output:
	// local: more than 80 % on time: false
	// spread: more than 80 % on time: true
}

package sim_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// estimate is a mean over seeds with its standard error.
type estimate struct{ mean, err float64 }

func estimateOf(values []float64) estimate {
	var sum, squares float64
	for _, v := range values {
		sum += v
	}
	n := float64(len(values))
	if n == 1 {
		return estimate{mean: values[0]}
	}
	mean := sum / n
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return estimate{mean, math.Sqrt(squares / (n - 1) / n)}
}

// holds checks that theory lies within four standard errors, and that these
// are small enough for the check to mean something: precision is the share of
// theory that four of them may be, and that bias may add.
func (e estimate) holds(t *testing.T, what string, theory, precision float64) {
	t.Helper()
	if 4*e.err > precision*theory {
		t.Errorf("%s: %.5f ± %.5f is too vague for a check to %.1f %%", what, e.mean, e.err, 100*precision)
	}
	if math.Abs(e.mean-theory) > 4*e.err+1e-12 {
		t.Errorf("%s: %.5f ± %.5f, in theory %.5f", what, e.mean, e.err, theory)
	}
}

// runs simulates with the seeds 1 to n.
func runs(t *testing.T, sc *sim.Scenario, opt sim.Options, n int) []*sim.Result {
	t.Helper()
	var all []*sim.Result
	for seed := range n {
		opt.Seed = uint64(seed + 1)
		r, err := sim.Run(context.Background(), sc, opt)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func over(results []*sim.Result, value func(*sim.Result) float64) estimate {
	var values []float64
	for _, r := range results {
		values = append(values, value(r))
	}
	return estimateOf(values)
}

// alike is a scenario of nodes that are all alike, with exponential services of
// 100 ms, no network delay and no reports but by gossip.
func alike(nodes, servers, queue int, utilisation float64, duration time.Duration) *sim.Scenario {
	return &sim.Scenario{
		Name: "alike", Duration: duration, Warmup: duration / 5, View: nodes, Plain: true,
		Nodes:   []sim.Group{{Count: nodes, Servers: servers, Queue: queue, Rate: []float64{1}}},
		Load:    sim.Traffic{Utilisation: utilisation},
		Classes: []sim.Class{{Share: 1, Function: "work", Service: 100 * time.Millisecond}},
	}
}

func mean(r *sim.Result) float64    { return r.Mean }
func refused(r *sim.Result) float64 { return r.Refused }

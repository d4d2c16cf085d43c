package sim_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pfaas/p2pfaas/sched/sim"
	"github.com/p2pfaas/p2pfaas/sched/sim/scenario"
)

const examples = "../../examples/scenarios"

func example(t *testing.T, name string) *sim.Scenario {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(examples, name+".toml"))
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenario.Parse(name, data, func(file string) ([]byte, error) { return os.ReadFile(filepath.Join(examples, file)) })
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// TestKnown compares with what an independent simulator found for the same
// scenarios and rules: the share on time, and the mean response. Its figures are
// of other seeds, which is what the tolerances are for.
func TestKnown(t *testing.T) {
	t.Parallel()
	expire, two := map[string]string{"expire": "true"}, map[string]string{"t": "1"}
	for _, c := range []struct {
		scenario, policy string
		set              map[string]string
		onTime, within   float64
		mean             float64 // ms, to a twentieth; 0 if not known for these seeds
	}{
		{"h6", "power-of-n", two, .910, .01, 135},
		{"p12", "local", nil, .389, .03, 302.7},
		{"p12", "random", map[string]string{"free": "false"}, .509, .03, 0},
		{"p12", "power-of-n", two, .839, .015, 111.4},
		{"p12", "perfect", nil, .917, .012, 82.5},
		{"p12", "perfect", expire, .9171, .006, 0},
		{"p12", "pooled", nil, .952, .008, 69.1},
		{"p12d", "power-of-n", two, .997, .003, 94.1},
		{"p12d", "perfect", nil, 1, .001, 74.3},
		{"p12mix", "perfect", expire, .8876, .01, 0},
		{"p12het", "perfect", expire, .9172, .01, 0},
		{"p12zone", "perfect", expire, .8917, .01, 0},
		{"p12over", "perfect", expire, .680, .012, 0},
		{"m100", "perfect", nil, .942, .004, 57.8},
	} {
		sc := example(t, c.scenario)
		r := run(t, sc, sim.Options{Policy: c.policy, Set: c.set, Seed: 11})
		if d := r.InDeadline - c.onTime; d < -c.within || d > c.within {
			t.Errorf("%s, %s %v: %.4f on time, want %.4f ± %.3f", c.scenario, c.policy, c.set, r.InDeadline, c.onTime, c.within)
		}
		if mean := 1e3 * r.Mean; c.mean > 0 && (mean < 0.95*c.mean || mean > 1.05*c.mean) {
			t.Errorf("%s, %s %v: mean response %.1f ms, want %.1f ms", c.scenario, c.policy, c.set, mean, c.mean)
		}
	}
}

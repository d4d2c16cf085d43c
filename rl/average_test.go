package rl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
)

func save(t testing.TB, p sched.Policy) []byte {
	t.Helper()
	data, err := p.(sched.Snapshotter).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func average(t testing.TB, all ...[]byte) []byte {
	t.Helper()
	data, err := rl.Average(all...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestAverageOfOneIsItself, and so is that of two that are the same, but for how
// many outcomes it stands on.
func TestAverageOfOneIsItself(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name+f.set["form"], func(t *testing.T) {
			one := save(t, taught(t, f.name, f.set, 2000))
			for _, got := range [][]byte{average(t, one), average(t, one, one)} {
				if !bytes.Equal(weightsOf(t, one), weightsOf(t, got)) {
					t.Errorf("of %s\ncame %s", weightsOf(t, one), weightsOf(t, got))
				}
				if err := newPolicy(t, f.name, f.set).(sched.Snapshotter).Restore(got); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// weightsOf leaves out counts, columns and the last digits.
func weightsOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	delete(s, "sum")
	s = blurred(s).(map[string]any)
	sortRows(s)
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func blurred(x any) any {
	switch x := x.(type) {
	case map[string]any:
		for _, count := range []string{"count", "decisions", "outcomes", "visits", "columns", "seen", "arms_seen"} {
			delete(x, count)
		}
		for key := range x {
			x[key] = blurred(x[key])
		}
	case []any:
		for i := range x {
			x[i] = blurred(x[i])
		}
	case float64:
		return math.Round(x * 1e5)
	}
	return x
}

// TestAverageTakesOverWhatOnlyOneKnows, and what both know lies between.
func TestAverageTakesOverWhatOnlyOneKnows(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name+f.set["form"], func(t *testing.T) {
			one, nothing := save(t, taught(t, f.name, f.set, 2000)), save(t, newPolicy(t, f.name, f.set))
			if got := average(t, nothing, one, nothing); !bytes.Equal(weightsOf(t, one), weightsOf(t, got)) {
				t.Errorf("of %s\ncame %s", weightsOf(t, one), weightsOf(t, got))
			}
		})
	}
}

func TestAverageRefuses(t *testing.T) {
	good, other := save(t, taught(t, "calibrated", nil, 100)), save(t, taught(t, "residual", nil, 100))
	for _, c := range []struct {
		name string
		all  [][]byte
		want error
	}{
		{"none", nil, rl.ErrNothing},
		{"rubbish", [][]byte{good, []byte("{")}, rl.ErrCorrupt},
		{"a flipped bit", [][]byte{good, bytes.Replace(good, []byte(`"mean":`), []byte(`"maen":`), 1)}, rl.ErrCorrupt},
		{"another policy", [][]byte{good, other}, rl.ErrForeign},
		{"another form", [][]byte{save(t, newPolicy(t, "sarsa", nil)), save(t, newPolicy(t, "sarsa", settings{"form": "table"}))}, rl.ErrForeign},
		{"what learns elsewhere", [][]byte{save(t, newPolicy(t, "external", nil))}, rl.ErrNothing},
	} {
		if _, err := rl.Average(c.all...); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
}

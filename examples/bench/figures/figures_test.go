package figures_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
)

func TestSpreadOf(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		values []float64
		want   figures.Spread
	}{
		"none":     {nil, figures.Spread{}},
		"unknown":  {[]float64{nan, nan}, figures.Spread{}},
		"one":      {[]float64{2}, figures.Spread{Low: 2, Median: 2, High: 2, N: 1}},
		"five":     {[]float64{5, 1, 4, 2, 3}, figures.Spread{Low: 2, Median: 3, High: 4, N: 5}},
		"two":      {[]float64{1, 2}, figures.Spread{Low: 1.25, Median: 1.5, High: 1.75, N: 2}},
		"some NaN": {[]float64{nan, 3, nan, 1, 2}, figures.Spread{Low: 1.5, Median: 2, High: 2.5, N: 3}},
	} {
		if diff := cmp.Diff(c.want, figures.SpreadOf(c.values)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What slows a whole repetition changes no ratio.
func TestRatioStaysInsideRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ratio := rapid.Float64Range(.1, 10).Draw(t, "ratio")
		at := figures.Cell{Body: 1, AtOnce: 1}
		var rs figures.Records
		for rep := range rapid.IntRange(1, 9).Draw(t, "repetitions") {
			slow := rapid.Float64Range(1e-4, 1).Draw(t, "base")
			rs = append(rs, record("base", at, rep, slow), record("path", at, rep, slow*ratio))
		}
		got := rs.Ratio(figures.P50, "path", "base", at)
		for _, r := range []float64{got.Low, got.Median, got.High} {
			if math.Abs(r/ratio-1) > 1e-4 {
				t.Fatalf("%+v, want %v", got, ratio)
			}
		}
	})
}

func record(path string, at figures.Cell, rep int, p50 float64) figures.Record {
	res := cell.Result{Calls: 1, P50: time.Duration(p50 * 1e9)}
	return figures.Record{Path: path, Cell: at, Repetition: rep, Result: res}
}

func TestRatioNeedsBoth(t *testing.T) {
	at, other := figures.Cell{AtOnce: 1}, figures.Cell{AtOnce: 8}
	rs := figures.Records{
		record("path", at, 0, 2), record("base", other, 0, 1), // another cell
		record("path", at, 1, 6), record("base", at, 1, 2),
		record("path", at, 2, 6), {Path: "base", Cell: at, Repetition: 2, Result: cell.Result{Lost: 3}}, // answered nothing
	}
	want := figures.Spread{Low: 3, Median: 3, High: 3, N: 1}
	if diff := cmp.Diff(want, rs.Ratio(figures.P50, "path", "base", at)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]figures.Cell{at, other}, rs.Cells()); diff != "" {
		t.Error(diff)
	}
}

func TestMeasures(t *testing.T) {
	r := cell.Result{Calls: 2, P50: time.Second, P99: 2 * time.Second, Rate: 3,
		ClientCPU: time.Second, HopCPU: 3 * time.Second, ClientObjs: 5, HopObjs: 6}
	for m, want := range map[figures.Measure]float64{figures.P50: 1, figures.P99: 2, figures.Rate: 3, figures.CPU: 4, figures.Allocs: 11} {
		if got := m.Of(r); got != want {
			t.Errorf("%s: %v, want %v", m, got, want)
		}
	}
	r.HopObjs = -1
	if got := figures.Allocs.Of(r); !math.IsNaN(got) {
		t.Errorf("allocations %v of hops that do not tell", got)
	}
}

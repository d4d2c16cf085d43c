package sched

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The 10th percentile is that of the latest services, whatever came before.
func TestPercentile10(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s ServiceStats
		for _, ms := range rapid.SliceOfN(rapid.IntRange(0, 9), 1, 80).Draw(t, "milliseconds") {
			s.Add(time.Duration(ms) * time.Millisecond)
		}
		n := min(s.count, len(s.recent))
		sorted := slices.Sorted(slices.Values(s.recent[:n]))
		if got, want := s.percentile10(), time.Duration(sorted[n/10]*1e9); got != want {
			t.Fatalf("%v of %v, want %v", got, sorted, want)
		}
	})
}

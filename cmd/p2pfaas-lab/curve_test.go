package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestWindows: shares are of what ended in a window, and of what was decided in it.
func TestWindows(t *testing.T) {
	half := 0.5
	samples := []sample{
		{At: 1, Ended: 4, InDeadline: 4, Learning: &learned{Reward: nil, Epsilon: &half, ByLearned: 0, ByDefault: 10}},
		{At: 2, Ended: 0, Learning: &learned{Reward: &half, Epsilon: &half, ByLearned: 6, ByDefault: 12}},
		{At: 3, Ended: 4, InDeadline: 1, Learning: &learned{Reward: &half, Epsilon: &half, ByLearned: 2, ByDefault: 1}}, // a node began anew
		{At: 4, Ended: 4, InDeadline: 2, Learning: &learned{Reward: &half, Epsilon: &half, ByLearned: 3, ByDefault: 2}},
		{At: 5, Ended: 0},
	}
	nan := orNaN(nil)
	want := []window{
		{until: 2, onTime: 1, reward: 0.5, epsilon: 0.5, learned: 6. / 18},
		{until: 4, onTime: 3. / 8, reward: 0.5, epsilon: 0.5, learned: nan},
		{until: 5, onTime: nan, reward: nan, epsilon: nan, learned: nan},
	}
	compare := cmp.Options{cmp.AllowUnexported(window{}), cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)}
	if diff := cmp.Diff(want, windowsOf(samples, 3), compare); diff != "" {
		t.Error(diff)
	}
	if got := windowsOf(nil, 3); len(got) != 0 {
		t.Errorf("of nothing there are %v", got)
	}
	runs := []*outcome{{Detail: &detail{Samples: samples[:1]}}, {Detail: &detail{Samples: []sample{{At: 1, Ended: 4, InDeadline: 2}}}}}
	if diff := cmp.Diff([]window{{until: 1, onTime: 0.75, reward: nan, epsilon: 0.5, learned: 0}}, curvesOf(runs), compare); diff != "" {
		t.Error(diff)
	}
}

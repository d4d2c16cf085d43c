package rltest_test

import (
	"math"
	"testing"

	"github.com/p2pfaas/p2pfaas/rl/rltest"
)

func TestWorldsAreWrittenDownRight(t *testing.T) {
	for name, m := range map[string]*rltest.MDP{
		"bandit": rltest.Bandit(0.1, 0.9), "two states": rltest.TwoStates(), "chain": rltest.Chain(5),
		"cliff": rltest.Cliff(), "access control": rltest.AccessControl(),
	} {
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOptima compares what is reckoned with what is known.
func TestOptima(t *testing.T) {
	near := func(what string, got, want, within float64) {
		t.Helper()
		if math.Abs(got-want) > within {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	gain, _ := rltest.Bandit(0.2, 0.7, 0.4).BestGain()
	near("gain of the bandit", gain, 0.7, 1e-9)

	// Going over costs 1 and gives 2 for ever: -1 + g 2/(1-g), against 1/(1-g).
	values, policy := rltest.TwoStates().BestReturns(0.9)
	near("return of the first state", values[0], -1+0.9*20, 1e-6)
	if policy(0) != 1 || policy(1) != 0 {
		t.Errorf("in two states %d and %d are best, want to go and to stay", policy(0), policy(1))
	}
	values, policy = rltest.TwoStates().BestReturns(0.3)
	near("return of the first state to the short-sighted", values[0], 1/0.7, 1e-6)
	if policy(0) != 0 {
		t.Error("the short-sighted leave the first state")
	}

	// The shortest way is 13 steps along the edge.
	values, _ = rltest.Cliff().BestReturns(1)
	near("return of the cliff", values[0], -13, 1e-9)

	// As in the book's figure 10.5, who pays little is let in only with servers to
	// spare, and who pays most always.
	gain, policy = rltest.AccessControl().BestGain()
	near("gain of access control", gain, 2.7476, 1e-3)
	if policy(1*4+1) != 0 || policy(10*4+1) != 1 || policy(1*4+3) != 1 {
		t.Error("who pays 2 is let in with one server free, or not with ten, or who pays most is not")
	}
}

func TestGainOfBestPolicyIsBestGain(t *testing.T) {
	m := rltest.AccessControl()
	best, policy := m.BestGain()
	if got := m.Gain(policy); math.Abs(got-best) > 1e-6 {
		t.Errorf("the best policy earns %v, want %v", got, best)
	}
	all := m.Gain(func(state int) int { return min(1, state/4) })
	if all >= best-0.1 {
		t.Errorf("letting everybody in earns %v, the best is %v: too near for a test", all, best)
	}
}

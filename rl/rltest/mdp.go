// Package rltest has small worlds whose best behaviour is known, to check
// learners by.
//
//	world := rltest.AccessControl()
//	run := rltest.NewRun(world, rand.New(rand.NewPCG(1, 2)))
//	run.Play(agent, 1_000_000)
//	gain := world.Gain(func(state int) int { return agent.Best(world.Features(state), world.Actions(state)) })
//	best, _ := world.BestGain()
//
// An [MDP] is written down once and serves for both: a learner is played against
// samples of it, and its optimum is reckoned from the probabilities.
package rltest

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/p2pfaas/p2pfaas/rl"
)

// MDP is a finite Markov decision process.
type MDP struct {
	// States is how many there are, numbered from 0, where a run begins. An episodic
	// process ends in the state Terminal; others have a Terminal below 0.
	States, Terminal int
	// Actions are those of a state, at least one.
	Actions func(state int) rl.Actions
	// Outcomes are what may follow, their chances adding up to 1.
	Outcomes func(state, action int) []Outcome
	// Features is a state as a learner sees it.
	Features func(state int) []float64
}

// Outcome is one way that things may go on.
type Outcome struct {
	Chance, Reward float64
	Next           int
}

// Policy is the action for each state.
type Policy func(state int) int

// BestReturns are the highest discounted returns of all states, and a policy that
// has them, by value iteration.
func (m *MDP) BestReturns(gamma float64) ([]float64, Policy) {
	values := make([]float64, m.States)
	best := make([]int, m.States)
	for change := 1.0; change > 1e-12; {
		change = 0
		for s := range m.States {
			if s == m.Terminal {
				continue
			}
			action, value := m.greedy(s, values, gamma)
			change = max(change, math.Abs(value-values[s]))
			values[s], best[s] = value, action
		}
	}
	return values, func(state int) int { return best[state] }
}

// BestGain is the highest average reward, of a process where all states can be
// reached whatever is done, by relative value iteration.
func (m *MDP) BestGain() (float64, Policy) {
	values := make([]float64, m.States)
	best := make([]int, m.States)
	for {
		next := make([]float64, m.States)
		low, high := math.Inf(1), math.Inf(-1)
		for s := range m.States {
			best[s], next[s] = m.greedy(s, values, 1)
			low, high = min(low, next[s]-values[s]), max(high, next[s]-values[s])
		}
		if high-low < 1e-10 {
			return (low + high) / 2, func(state int) int { return best[state] }
		}
		values = relative(next)
	}
}

// Gain is the average reward of a policy.
func (m *MDP) Gain(p Policy) float64 {
	values := make([]float64, m.States)
	for {
		next := make([]float64, m.States)
		low, high := math.Inf(1), math.Inf(-1)
		for s := range m.States {
			next[s] = m.worth(s, p(s), values, 1)
			low, high = min(low, next[s]-values[s]), max(high, next[s]-values[s])
		}
		if high-low < 1e-10 {
			return (low + high) / 2
		}
		values = relative(next)
	}
}

func relative(values []float64) []float64 {
	first := values[0]
	for s := range values {
		values[s] -= first
	}
	return values
}

func (m *MDP) greedy(state int, values []float64, gamma float64) (action int, value float64) {
	value = math.Inf(-1)
	for left := m.Actions(state); left != 0; left &= left - 1 {
		a := bits.TrailingZeros64(uint64(left))
		if q := m.worth(state, a, values, gamma); q > value {
			action, value = a, q
		}
	}
	return action, value
}

func (m *MDP) worth(state, action int, values []float64, gamma float64) float64 {
	var sum float64
	for _, o := range m.Outcomes(state, action) {
		sum += o.Chance * (o.Reward + gamma*values[o.Next])
	}
	return sum
}

// Check tells what is wrong with how a process is written down.
func (m *MDP) Check() error {
	for s := range m.States {
		if s == m.Terminal {
			continue
		}
		if m.Actions(s) == 0 {
			return fmt.Errorf("state %d has no action", s)
		}
		for left := m.Actions(s); left != 0; left &= left - 1 {
			if err := m.checkOutcomes(s, bits.TrailingZeros64(uint64(left))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *MDP) checkOutcomes(state, action int) error {
	var sum float64
	for _, o := range m.Outcomes(state, action) {
		if o.Next < 0 || o.Next >= m.States || o.Chance < 0 {
			return fmt.Errorf("state %d, action %d: outcome %+v", state, action, o)
		}
		sum += o.Chance
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("state %d, action %d: chances add up to %v", state, action, sum)
	}
	return nil
}

package rltest

import (
	"math"

	"github.com/p2pfaas/p2pfaas/rl"
)

// Bandit has one state, and an action for each mean, that rewards 1 with that
// probability and else 0.
func Bandit(means ...float64) *MDP {
	return &MDP{
		States: 1, Terminal: -1,
		Actions:  func(int) rl.Actions { return rl.AllActions(len(means)) },
		Features: func(int) []float64 { return []float64{0} },
		Outcomes: func(_, action int) []Outcome {
			return []Outcome{{means[action], 1, 0}, {1 - means[action], 0, 0}}
		},
	}
}

// TwoStates has an action that stays and one that goes to the other state.
// Staying rewards 1 in the first state and 2 in the second, leaving the first costs
// 1 and leaving the second nothing: who looks one step ahead never gets there.
func TwoStates() *MDP {
	return &MDP{
		States: 2, Terminal: -1,
		Actions:  func(int) rl.Actions { return rl.AllActions(2) },
		Features: func(state int) []float64 { return []float64{float64(state)} },
		Outcomes: func(state, action int) []Outcome {
			if action == 0 {
				return []Outcome{{1, float64(1 + state), state}}
			}
			return []Outcome{{1, float64(state - 1), 1 - state}}
		},
	}
}

// Chain has n states in a row: one action goes on, and rewards 10 in the last state;
// the other goes back to the start and rewards 2. One time in ten it is the other way
// round. After Dearden, Friedman, Russell, "Bayesian Q-learning" (AAAI 1998).
func Chain(n int) *MDP {
	return &MDP{
		States: n, Terminal: -1,
		Actions:  func(int) rl.Actions { return rl.AllActions(2) },
		Features: func(state int) []float64 { return []float64{float64(state)} },
		Outcomes: func(state, action int) []Outcome {
			const slip = 0.1
			back, on := Outcome{slip, 2, 0}, Outcome{1 - slip, 0, min(state+1, n-1)}
			if state == n-1 {
				on.Reward = 10
			}
			if action == 1 {
				back.Chance, on.Chance = 1-slip, slip
			}
			return []Outcome{back, on}
		},
	}
}

// Cliff is the gridworld of Sutton and Barto, example 6.6: four rows of twelve
// fields, from the lower left to the lower right corner at a cost of 1 a step, with a
// cliff between that costs 100 and leads back to the start. State 0 is the start.
func Cliff() *MDP {
	const rows, columns = 4, 12
	return &MDP{
		States: rows * columns, Terminal: columns - 1,
		Actions:  func(int) rl.Actions { return rl.AllActions(4) },
		Features: func(state int) []float64 { return []float64{float64(state / columns), float64(state % columns)} },
		Outcomes: func(state, action int) []Outcome {
			row, column := state/columns, state%columns
			row = max(0, min(rows-1, row+[]int{1, 0, -1, 0}[action]))
			column = max(0, min(columns-1, column+[]int{0, 1, 0, -1}[action]))
			if row == 0 && column > 0 && column < columns-1 {
				return []Outcome{{1, -100, 0}}
			}
			return []Outcome{{1, -1, row*columns + column}}
		},
	}
}

// AccessControl is the queue of Sutton and Barto, example 10.2: ten servers, and
// customers of four priorities who pay 1, 2, 4 or 8, each as likely. The one at the head of
// the line is turned away (action 0) or, with a server free, served (action 1). Busy
// servers fall free with probability .06 at each step. A state is the number of free
// servers times 4, and the priority; it begins with the least.
func AccessControl() *MDP {
	const servers, priorities, freed = 10, 4, 0.06
	return (&MDP{
		States: (servers + 1) * priorities, Terminal: -1,
		Actions: func(state int) rl.Actions {
			if state/priorities == 0 {
				return 1
			}
			return rl.AllActions(2)
		},
		Features: func(state int) []float64 { return []float64{float64(state / priorities), float64(state % priorities)} },
		Outcomes: func(state, action int) []Outcome {
			free, reward := state/priorities, 0.0
			if action == 1 {
				reward = math.Exp2(float64(state % priorities))
				free--
			}
			var all []Outcome
			for k, chance := range binomial(servers-free, freed) {
				for p := range priorities {
					all = append(all, Outcome{chance / priorities, reward, (free+k)*priorities + p})
				}
			}
			return all
		},
	}).tabulated()
}

// tabulated reckons all outcomes once.
func (m *MDP) tabulated() *MDP {
	const actions = 2
	outcomes := make([][]Outcome, m.States*actions)
	features := make([][]float64, m.States)
	for s := range m.States {
		features[s] = m.Features(s)
		for a := range actions {
			if m.Actions(s).Has(a) {
				outcomes[s*actions+a] = m.Outcomes(s, a)
			}
		}
	}
	t := *m
	t.Features = func(state int) []float64 { return features[state] }
	t.Outcomes = func(state, action int) []Outcome { return outcomes[state*actions+action] }
	return &t
}

// binomial is the distribution of how many of n happen.
func binomial(n int, p float64) []float64 {
	chances := make([]float64, n+1)
	chances[0] = 1
	for i := range n {
		for k := i + 1; k >= 0; k-- {
			chances[k] *= 1 - p
			if k > 0 {
				chances[k] += chances[k-1] * p
			}
		}
	}
	return chances
}

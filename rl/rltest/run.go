package rltest

import (
	"math/rand/v2"

	"github.com/p2pfaas/p2pfaas/rl"
)

// Run plays an agent in a process.
type Run struct {
	process *MDP
	rand    *rand.Rand
	state   int
	// Rewards is their sum so far, Steps how many there were.
	Rewards float64
	Steps   int
}

// NewRun begins in state 0.
func NewRun(process *MDP, rng *rand.Rand) *Run { return &Run{process: process, rand: rng} }

// Play makes so many steps, of as many episodes as it takes; each transition is
// learned from at once.
func (r *Run) Play(agent *rl.Agent, steps int) {
	m := r.process
	action, _ := agent.Act(m.Features(r.state), m.Actions(r.state), r.rand)
	for range steps {
		o := r.draw(m.Outcomes(r.state, action))
		r.Rewards += o.Reward
		r.Steps++
		t := rl.Transition{State: m.Features(r.state), Action: action, Reward: o.Reward}
		if o.Next == m.Terminal {
			t.Terminal = true
			o.Next = 0
		}
		next, _ := agent.Act(m.Features(o.Next), m.Actions(o.Next), r.rand)
		t.Next, t.NextAction, t.NextActions = m.Features(o.Next), next, m.Actions(o.Next)
		agent.Learn(&t)
		r.state, action = o.Next, next
	}
}

func (r *Run) draw(outcomes []Outcome) Outcome {
	left := r.rand.Float64()
	for _, o := range outcomes {
		if left -= o.Chance; left < 0 {
			return o
		}
	}
	return outcomes[len(outcomes)-1]
}

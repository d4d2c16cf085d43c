package rl_test

import (
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
)

// The learning policies join those of package sched.
func ExamplePolicies() {
	all := sched.Policies()
	maps.Copy(all, rl.Policies())
	policy, err := all.New("calibrated", map[string]string{"holdout": "0.1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, observes := policy.(sched.Observer)
	_, saves := policy.(sched.Snapshotter)
	fmt.Println(observes, saves, policy.(sched.Learner).Learning().State)
	// Output: true true learned
}

// An Agent learns what to do in states of one's own. Its rewards may come late
// and out of order.
func ExampleAgent() {
	agent := rl.NewAgent(rl.AgentConfig{
		Rule: rl.QLearning, Form: rl.FormTable, Alpha: 0.1,
		Exploration: rl.Exploration{Start: 0.2, Decay: 1},
	})
	rng := rand.New(rand.NewPCG(1, 2))
	best := map[float64]int{3: 1, 4: 2} // the action that pays, by state
	for range 2000 {
		state := []float64{float64(3 + rng.IntN(2))}
		action, _ := agent.Act(state, rl.AllActions(3), rng)
		id := agent.Opened(state, rl.AllActions(3), action)
		reward := 0.0
		if action == best[state[0]] {
			reward = 1
		}
		agent.Rewarded(id, reward)
	}
	fmt.Println(agent.Best([]float64{3}, rl.AllActions(3)), agent.Best([]float64{4}, rl.AllActions(3)))
	// Output: 1 2
}

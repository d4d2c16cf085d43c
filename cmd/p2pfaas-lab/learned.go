package main

import "github.com/p2pfaas/p2pfaas/sched/sim"

// learned is how the learning of the nodes goes at one moment: means over the nodes,
// null before there is one, and counts since their beginning.
type learned struct {
	Nodes     int      `json:"nodes"`
	Fallback  int      `json:"fallback"`
	Reward    *float64 `json:"reward"`
	Epsilon   *float64 `json:"epsilon"`
	Agreement *float64 `json:"agreement"`
	ByLearned uint64   `json:"by_learned"`
	ByDefault uint64   `json:"by_default"`
	Outcomes  uint64   `json:"outcomes"`
}

func learnedOf(l *sim.Learning) *learned {
	if l == nil {
		return nil
	}
	return &learned{
		Nodes: l.Nodes, Fallback: l.Fallback, Reward: finite(l.Reward), Epsilon: finite(l.Epsilon), Agreement: finite(l.Agreement),
		ByLearned: l.ByLearned, ByDefault: l.ByDefault, Outcomes: l.Outcomes,
	}
}

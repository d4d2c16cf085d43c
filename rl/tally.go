package rl

import (
	"math"

	"github.com/p2pfaas/p2pfaas/sched"
)

// tally counts what a policy decided and what came of it.
type tally struct {
	actions  [4]uint64
	by       [4]uint64 // by decider
	outcomes uint64
	reward   average
	agreed   average
}

// tallied are the names of the actions that are counted, by sched.Action.
var tallied = [...]sched.Action{sched.Run, sched.Forward, sched.Refuse, sched.Probe}

func (t *tally) decided(d *sched.Decision, by decider) {
	t.by[by]++
	if int(d.Action) < len(t.actions) {
		t.actions[d.Action]++
	}
}

func (t *tally) rewarded(reward float64) {
	t.outcomes++
	t.reward.add(reward)
}

// agree takes in a decision of what was learned and what the default would do.
func (t *tally) agree(a, b *sched.Decision) {
	same := 0.0
	if a.Action == b.Action && a.Peer == b.Peer {
		same = 1
	}
	t.agreed.add(same)
}

// learning fills in what the tally and the safety know.
func (t *tally) learning(s *safety) sched.Learning {
	l := sched.Learning{
		State: s.state, Fallbacks: s.falls, Reward: t.reward.value(), Agreement: t.agreed.value(),
		OnTime: s.learned.mean(), DefaultOnTime: s.held.mean(), Outcomes: t.outcomes,
		ByLearned: t.by[byLearned], ByDefault: t.by[byHoldout] + t.by[byDefault],
	}
	for _, a := range tallied {
		l.Actions = append(l.Actions, sched.LearningAction{Action: a.String(), Count: t.actions[a]})
	}
	return l
}

// average is over the latest few hundred. The zero value is ready.
type average struct {
	count int
	mean  float64
}

func (a *average) add(x float64) {
	a.count++
	a.mean += max(0.005, 1/float64(a.count)) * (x - a.mean)
}

func (a *average) value() float64 {
	if a.count == 0 {
		return math.NaN()
	}
	return a.mean
}

package rl

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// TestRefusalSaysWhy: that there is no room is no choice, and said as such; to refuse
// is, and is said to be learned.
func TestRefusalSaysWhy(t *testing.T) {
	for _, c := range []struct {
		reward float64 // for running it here, where refusing earns 0
		room   bool
		want   sched.Decision
	}{
		{1, false, sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}},
		{1, true, sched.Decision{Action: sched.Run, Reason: sched.ReasonLearned}},
		{-1, false, sched.Decision{Action: sched.Refuse, Reason: sched.ReasonLearned}},
	} {
		p := newTemporal(new(sched.Settings), "sarsa", DifferentialSARSA)
		p.form, p.config.Exploration = formTable, Exploration{}
		p.config.Alpha = 0.5
		v, r := schedtest.View(1, schedtest.Self(1, 3, time.Second)), schedtest.Request()
		v.Self.Free, v.Self.Room = false, c.room
		agent := p.agents.get("")
		state := []float64{r.TaskType, float64(v.Self.Load.Running), float64(v.Self.Load.Queued)}
		agent.values.move(state, actionHere, c.reward)
		d := p.Decide(v, r)
		if d.Action != c.want.Action || d.Reason != c.want.Reason {
			t.Errorf("reward %v, room %t: %v (%v), want %v (%v)", c.reward, c.room, d.Action, d.Reason, c.want.Action, c.want.Reason)
		}
	}
}

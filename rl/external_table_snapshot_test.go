package rl

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched"
)

// taughtTable knows that action 1 pays in one state and action 4 in the other.
func taughtTable(t *testing.T) *TableLearner {
	t.Helper()
	l := newTestTable()
	if err := l.SetParameters([]byte(`{"actions_n":3,"alpha":0.1,"epsilon_min":0}`)); err != nil {
		t.Fatal(err)
	}
	for id := range uint64(2000) {
		step := sched.Step{ID: id, State: []float64{float64(id % 2)}, Action: int(id/2) % 5}
		reward := 0.0
		if step.Action == 1+3*int(id%2) {
			reward = 1
		}
		if err := l.Train(&sched.Lesson{Step: step, Reward: reward}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestTableLearnerSnapshot: one that goes on from it knows the same, by the same
// parameters, explores a little more, and counts from wherever its scheduler does.
func TestTableLearnerSnapshot(t *testing.T) {
	saved, err := taughtTable(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	l := newTestTable()
	if err := l.Restore(saved); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(taughtTable(t).Weights(), l.Weights()); diff != "" {
		t.Error(diff)
	}
	if l.Parameters().(TableParameters).Actions != 3 || l.agent.Best([]float64{1}, AllActions(5)) != 4 {
		t.Errorf("parameters %+v, weights %+v", l.Parameters(), l.Weights())
	}
	if _, epsilon := l.Act([]float64{0}, nil); epsilon != restoredEpsilon {
		t.Errorf("epsilon %v, want %v", epsilon, restoredEpsilon)
	}
	for id := range uint64(10) {
		if err := l.Train(&sched.Lesson{Step: sched.Step{ID: id, State: []float64{0}}}); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.Stats().(TableStats); s.Trained == 0 {
		t.Errorf("it does not learn on: %+v", s)
	}
}

func TestTableLearnerRestoreRefuses(t *testing.T) {
	l := taughtTable(t)
	saved, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	pack := func(k tableLearnerKnowledge) string {
		text, err := pack(tableLearnerName, l.agent.features(), k)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	agent, _ := l.agent.MarshalJSON()
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"of a policy":       {strings.Replace(string(saved), `"policy":"learner"`, `"policy":"sarsa"`, 1), ErrForeign},
		"another version":   {strings.Replace(string(saved), `"version":1`, `"version":9`, 1), ErrForeign},
		"a flipped digit":   {strings.Replace(string(saved), `"actions_n":3`, `"actions_n":4`, 1), ErrCorrupt},
		"cut off":           {string(saved[:len(saved)-9]), ErrCorrupt},
		"mad parameters":    {pack(tableLearnerKnowledge{TableParameters{Alpha: -1}, 3, agent}), ErrCorrupt},
		"too many actions":  {pack(tableLearnerKnowledge{l.params, MaxActions + 1, agent}), ErrCorrupt},
		"no agent in there": {pack(tableLearnerKnowledge{l.params, 3, []byte(`{"average_reward":1e300}`)}), ErrCorrupt},
	} {
		if err := l.Restore([]byte(c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		if after, _ := l.Snapshot(); !bytes.Equal(saved, after) {
			t.Fatalf("%s: what was known before is gone", name)
		}
	}
}

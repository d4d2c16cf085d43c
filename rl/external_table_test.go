package rl

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/p2pfaas/p2pfaas/sched"
)

func newTestTable() *TableLearner { return NewTableLearner(rand.New(rand.NewPCG(1, 2))) }

// It learns which of two actions pays, in either of two states.
func TestTableLearner(t *testing.T) {
	l := newTestTable()
	if err := l.SetParameters([]byte(`{"actions_n":2,"alpha":0.1,"epsilon_min":0.05}`)); err != nil {
		t.Fatal(err)
	}
	right := 0
	for id := range uint64(4000) {
		state := []float64{float64(id % 2), 7}
		action, _ := l.Act(state, nil)
		good := action == int(id%2)
		if good && id >= 3000 {
			right++
		}
		reward := 0.0
		if good {
			reward = 1
		}
		if err := l.Train(&sched.Lesson{Step: sched.Step{ID: id, State: state, Action: action}, Reward: reward}); err != nil {
			t.Fatal(err)
		}
	}
	if right < 900 {
		t.Errorf("%d of the last 1000 are right, want 950", right)
	}
	s := l.Stats().(TableStats)
	if s.Inferences != 4000 || s.Trained < 3990 || s.Episodes == 0 || s.States != 2 || s.Max != 3999 || s.LastTrained < 3990 || s.Epsilon > 0.06 {
		t.Errorf("stats %+v", s)
	}
	w := l.Weights().(TableWeights)
	if len(w.Table) != 2 || len(w.Table[0]) != 2 || w.States["0,7"] != 0 || w.Table[1][1] <= w.Table[1][0] {
		t.Errorf("weights %+v", w)
	}
	l.Reset()
	if s := l.Stats().(TableStats); s.States != 0 || s.Trained != 0 || l.params.Actions != 2 {
		t.Errorf("after a reset: %+v", s)
	}
}

func TestTableLearnerParameters(t *testing.T) {
	cases := []struct {
		text string
		ok   bool
	}{
		{`{"alpha":0.5}`, true},
		{`{}`, true},
		{`{"actions_n":64,"window_size":1}`, true},
		{`{"actions_n":65}`, false},
		{`{"actions_n":0}`, false},
		{`{"alpha":0}`, false},
		{`{"epsilon_start":1.1}`, false},
		{`{"alpha":"much"}`, false},
		{`[]`, false},
		{``, false},
	}
	for _, c := range cases {
		l := newTestTable()
		before := l.params
		if err := l.SetParameters([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.text, err)
		} else if err != nil && l.params != before {
			t.Errorf("%s: refused, but %+v", c.text, l.params)
		}
	}
	l := newTestTable()
	text, err := json.Marshal(l.Parameters())
	if err != nil || l.SetParameters(text) != nil || l.params != DefaultTableParameters() {
		t.Errorf("what it shows cannot be set: %s", text)
	}
}

// Epsilon stands still where it shall not decay.
func TestTableLearnerEpsilon(t *testing.T) {
	l := newTestTable()
	if err := l.SetParameters([]byte(`{"epsilon_start":0.3,"epsilon_decay_enabled":false}`)); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if _, epsilon := l.Act([]float64{1}, nil); epsilon != 0.3 {
			t.Fatalf("epsilon %v", epsilon)
		}
	}
}

// Only what is possible is chosen.
func TestTableLearnerActions(t *testing.T) {
	l := newTestTable()
	for range 500 {
		if action, _ := l.Act([]float64{1}, []int{4, 40, 400, -1}); action != 4 && action != 40 {
			t.Fatalf("action %d", action)
		}
	}
}

// Whose count begins anew is followed, after some patience; twice is once.
func TestTableLearnerCount(t *testing.T) {
	l := newTestTable()
	train := func(id uint64) {
		t.Helper()
		if err := l.Train(&sched.Lesson{Step: sched.Step{ID: id, State: []float64{1}}, Reward: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for id := range uint64(1000) {
		train(id)
		train(id)
	}
	if s := l.Stats().(TableStats); s.Trained != 999 || s.Lost != 0 {
		t.Fatalf("at first: %+v", s)
	}
	for id := range uint64(300) {
		train(id)
	}
	if s := l.Stats().(TableStats); s.Trained < 999+150 {
		t.Errorf("after a new beginning: %+v", s)
	}
	l.Reset()
	for id := range uint64(10) { // in the middle of somebody's life
		train(5000 + id)
	}
	if s := l.Stats().(TableStats); s.Trained != 9 || s.Lost != 0 || s.LastTrained != 5009 {
		t.Errorf("from the middle: %+v", s)
	}
}

func TestTableLearnerRefuses(t *testing.T) {
	l := newTestTable()
	for _, c := range []sched.Lesson{
		{Step: sched.Step{ID: 1, Action: -1}}, {Step: sched.Step{ID: 1, Action: MaxActions}},
		{Step: sched.Step{ID: 1}, Reward: math.NaN()}, {Step: sched.Step{ID: math.MaxUint64}},
	} {
		if l.Train(&c) == nil {
			t.Errorf("took %+v", c)
		}
	}
}

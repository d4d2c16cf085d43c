package rl

import (
	"encoding/json"
	"fmt"
)

// tableLearnerName stands in a TableLearner's snapshot where a policy's has its name.
const tableLearnerName = "learner"

// tableLearnerKnowledge is what a TableLearner keeps. It does not keep how far its
// scheduler has counted: that may begin anew as well.
type tableLearnerKnowledge struct {
	Parameters TableParameters `json:"parameters"`
	Widest     int             `json:"actions_seen"`
	Agent      json.RawMessage `json:"agent"`
}

// Snapshot implements sched.Snapshotter: what was learned, and the parameters.
func (l *TableLearner) Snapshot() ([]byte, error) {
	raw, err := l.agent.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("snapshot of the learner: %w", err)
	}
	return pack(tableLearnerName, l.agent.features(), tableLearnerKnowledge{l.params, l.widest, raw})
}

// Restore implements sched.Snapshotter. It explores a little more for a while, and
// what is wrong leaves all as it was.
func (l *TableLearner) Restore(data []byte) error {
	var k tableLearnerKnowledge
	if err := unpack(data, tableLearnerName, l.agent.features(), &k); err != nil {
		return err
	}
	next := &TableLearner{params: k.Parameters, rand: l.rand}
	err := k.Parameters.check()
	if err == nil && (k.Widest < 0 || k.Widest > MaxActions) {
		err = fmt.Errorf("%d actions: there may be 0 to %d", k.Widest, MaxActions)
	}
	if err == nil {
		next.Reset()
		next.widest = k.Widest
		err = next.agent.UnmarshalJSON(k.Agent)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	*l = *next
	return nil
}

package rl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
)

// Divided is a snapshot for so many nodes to begin with that are averaged later
// (see [Average]): it says the same, but each has counted only its part of the evidence,
// so that all of them together have counted it once.
func Divided(data []byte, among int) ([]byte, error) {
	s, err := readSnapshot(data)
	if err != nil {
		return nil, fmt.Errorf("divide: %w", err)
	}
	d := divider{max(1, uint64(max(0, among)))}
	var knowledge any
	switch s.Policy {
	case "calibrated", "bandit", "residual":
		knowledge, err = d.models(s.Knowledge)
	case "sarsa", "q-learning":
		knowledge, err = d.temporal(s.Knowledge)
	default:
		err = fmt.Errorf("%w: policy %q", ErrForeign, s.Policy)
	}
	if err == nil {
		s.Knowledge, err = json.Marshal(knowledge)
	}
	if err != nil {
		return nil, fmt.Errorf("divide: %w", err)
	}
	s.Sum = crc32.ChecksumIEEE(s.Knowledge)
	return json.Marshal(s)
}

// divider divides counts. Those of decisions stay, as they say whether a warm-up is over.
type divider struct{ among uint64 }

func (d divider) models(raw json.RawMessage) (any, error) {
	var k knowledge
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	for function, f := range k.Functions {
		f.Outcomes /= d.among
		var err error
		if f.Model, err = d.weights(f.Model); err != nil {
			return nil, fmt.Errorf("%w: function %q: %w", ErrCorrupt, function, err)
		}
		k.Functions[function] = f
	}
	return k, nil
}

func (d divider) temporal(raw json.RawMessage) (any, error) {
	var k temporalKnowledge
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	for _, agents := range []map[string]json.RawMessage{k.Agents, k.Gates} {
		for function, raw := range agents {
			var a agentKnowledge
			err := json.Unmarshal(raw, &a)
			if err == nil {
				a.Values, err = d.weights(a.Values)
			}
			if err == nil {
				agents[function], err = json.Marshal(a)
			}
			if err != nil {
				return nil, fmt.Errorf("%w: function %q: %w", ErrCorrupt, function, err)
			}
		}
	}
	return k, nil
}

// weights divides the visits of tiles and tables. A logistic has no counts: who
// averages it takes the surest, not the sum.
func (d divider) weights(raw json.RawMessage) (json.RawMessage, error) {
	if bytes.HasPrefix(raw, []byte("[")) {
		var rows []tableRow
		if err := json.Unmarshal(raw, &rows); err != nil {
			return nil, err
		}
		for i := range rows {
			for action, n := range rows[i].Visits {
				rows[i].Visits[action] = d.visits(n)
			}
		}
		return json.Marshal(rows)
	}
	var k tilesKnowledge
	if err := json.Unmarshal(raw, &k); err != nil || k.Index == nil {
		return raw, err
	}
	for i := range k.Visits {
		k.Visits[i] = d.visits(k.Visits[i])
	}
	return json.Marshal(k)
}

// visits never become 0: there is something to know.
func (d divider) visits(n uint16) uint16 { return uint16(max(1, uint64(n)/d.among)) }

package rl

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// tilesKnowledge are the weights that differ from 0, and how often each was moved.
type tilesKnowledge struct {
	Index []uint16  `json:"index"`
	Value []float32 `json:"value"`
	// Visits is not in snapshots of old.
	Visits []uint16 `json:"visits,omitempty"`
}

func (t *tiles) features() string { return fmt.Sprintf("%d tilings of %v", t.tilings, t.width) }

// MarshalJSON implements json.Marshaler.
func (t *tiles) MarshalJSON() ([]byte, error) {
	var k tilesKnowledge
	for i, w := range t.weights {
		if w != 0 {
			k.Index, k.Value = append(k.Index, uint16(i)), append(k.Value, float32(w))
			k.Visits = append(k.Visits, t.visits[i])
		}
	}
	return json.Marshal(k)
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *tiles) UnmarshalJSON(data []byte) error {
	var k tilesKnowledge
	if err := json.Unmarshal(data, &k); err != nil {
		return err
	}
	if len(k.Index) != len(k.Value) {
		return fmt.Errorf("%d weights for %d places", len(k.Value), len(k.Index))
	}
	if len(k.Visits) != len(k.Index) && k.Visits != nil {
		return fmt.Errorf("%d counts for %d weights", len(k.Visits), len(k.Index))
	}
	weights, visits := make([]float64, tileWeights), make([]uint16, tileWeights)
	for i, at := range k.Index {
		if at >= tileWeights {
			return fmt.Errorf("weight %d, there are %d", at, tileWeights)
		}
		if err := checkWeight(float64(k.Value[i])); err != nil {
			return err
		}
		weights[at], visits[at] = float64(k.Value[i]), 1
		if k.Visits != nil {
			visits[at] = min(k.Visits[i], mostVisits)
		}
	}
	t.weights, t.visits = weights, visits
	return nil
}

// tableRow is one state of a table, the values of its actions that differ from 0,
// and how often each was moved.
type tableRow struct {
	State  []byte          `json:"state"`
	Values map[int]float64 `json:"values"`
	// Visits is not in snapshots of old.
	Visits map[int]uint16 `json:"visits,omitempty"`
}

func (t *table) features() string { return "a table" }

// MarshalJSON implements json.Marshaler.
func (t *table) MarshalJSON() ([]byte, error) {
	rows := make([]tableRow, 0, len(t.rows))
	for _, state := range slices.Sorted(maps.Keys(t.rows)) {
		r := t.rows[state]
		out := tableRow{[]byte(state), make(map[int]float64), make(map[int]uint16)}
		for action, q := range r.values {
			if q != 0 {
				out.Values[action], out.Visits[action] = q, r.visits[action]
			}
		}
		rows = append(rows, out)
	}
	return json.Marshal(rows)
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *table) UnmarshalJSON(data []byte) error {
	var rows []tableRow
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	if err := checkCount(len(rows), mostRows, "states"); err != nil {
		return err
	}
	fresh := newTable()
	for _, in := range rows {
		if err := checkCount(len(in.State), mostState, "bytes of a state"); err != nil {
			return err
		}
		r, err := in.row()
		if err != nil {
			return err
		}
		fresh.rows[string(in.State)] = r
	}
	*t = *fresh
	return nil
}

// mostState bounds the bytes of a state that is read.
const mostState = 1 << 10

func (in *tableRow) row() (*row, error) {
	r := new(row)
	for action, q := range in.Values {
		if action < 0 || action >= MaxActions {
			return nil, fmt.Errorf("action %d, there are %d", action, MaxActions)
		}
		if err := checkWeight(q); err != nil {
			return nil, err
		}
		r.values[action] = q
		r.visits[action] = max(1, min(in.Visits[action], mostVisits))
	}
	return r, nil
}

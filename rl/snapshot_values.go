package rl

import (
	"encoding/json"
	"fmt"
)

// tilesKnowledge are the weights that differ from 0.
type tilesKnowledge struct {
	Index []uint16  `json:"index"`
	Value []float32 `json:"value"`
}

func (t *tiles) features() string { return fmt.Sprintf("%d tilings of %v", t.tilings, t.width) }

// MarshalJSON implements json.Marshaler.
func (t *tiles) MarshalJSON() ([]byte, error) {
	var k tilesKnowledge
	for i, w := range t.weights {
		if w != 0 {
			k.Index, k.Value = append(k.Index, uint16(i)), append(k.Value, float32(w))
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
	weights := make([]float64, tileWeights)
	for i, at := range k.Index {
		if at >= tileWeights {
			return fmt.Errorf("weight %d, there are %d", at, tileWeights)
		}
		if err := checkWeight(float64(k.Value[i])); err != nil {
			return err
		}
		weights[at] = float64(k.Value[i])
	}
	t.weights = weights
	return nil
}

// tableRow is one state of a table and the values of its actions that differ
// from 0.
type tableRow struct {
	State  []byte          `json:"state"`
	Values map[int]float64 `json:"values"`
}

func (t *table) features() string { return "a table" }

// MarshalJSON implements json.Marshaler.
func (t *table) MarshalJSON() ([]byte, error) {
	rows := make([]tableRow, 0, len(t.rows))
	for state, row := range t.rows {
		values := make(map[int]float64)
		for action, q := range row {
			if q != 0 {
				values[action] = q
			}
		}
		rows = append(rows, tableRow{[]byte(state), values})
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
	for _, r := range rows {
		row := new([MaxActions]float64)
		for action, q := range r.Values {
			if action < 0 || action >= MaxActions {
				return fmt.Errorf("action %d, there are %d", action, MaxActions)
			}
			if err := checkWeight(q); err != nil {
				return err
			}
			row[action] = q
		}
		if err := checkCount(len(r.State), mostState, "bytes of a state"); err != nil {
			return err
		}
		fresh.rows[string(r.State)] = row
	}
	*t = *fresh
	return nil
}

// mostState bounds the bytes of a state that is read.
const mostState = 1 << 10

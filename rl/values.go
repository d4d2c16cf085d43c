package rl

import (
	"encoding/binary"
	"encoding/json"
	"math"
)

// values is an action-value function Q(s, a).
type values interface {
	at(state []float64, action int) float64
	// best is the action of the highest value; of equals usual, else the lowest.
	best(state []float64, actions Actions, usual int) int
	// move changes the value by step, and that of similar states as well if it
	// generalises.
	move(state []float64, action int, step float64)
	// size is how many weights differ from 0, or may.
	size() int
	// features names the form, for snapshots.
	features() string
	json.Marshaler
	json.Unmarshaler
}

// table is a Q table: one value for each state and action, 0 at first. A
// state's numbers are truncated, and told apart by place: (1, 11) is not (11, 1).
type table struct {
	rows map[string]*row
	key  []byte
}

// row holds the values of one state's actions, and how often each was moved, up to
// mostVisits.
type row struct {
	values [MaxActions]float64
	visits [MaxActions]uint16
}

// mostRows bounds the states of a table; what comes later stays at 0.
const mostRows = 1 << 14

func newTable() *table { return &table{rows: make(map[string]*row)} }

func (t *table) at(state []float64, action int) float64 {
	if row := t.row(state); row != nil {
		return row.values[action]
	}
	return 0
}

func (t *table) best(state []float64, actions Actions, usual int) int {
	row := t.row(state)
	if row == nil {
		return actions.orFirst(usual)
	}
	return actions.best(usual, func(action int) float64 { return row.values[action] })
}

func (t *table) move(state []float64, action int, step float64) {
	r := t.row(state)
	if r == nil {
		if len(t.rows) >= mostRows {
			return
		}
		r = new(row)
		t.rows[string(t.key)] = r
	}
	r.values[action] += step
	r.visits[action] = min(r.visits[action]+1, mostVisits)
}

func (t *table) size() int { return len(t.rows) }

// forget has an action be as good as never tried.
func (t *table) forget(action int) {
	for _, row := range t.rows {
		row.values[action], row.visits[action] = 0, 0
	}
}

// row is the one of that state, whose key is left in t.key.
func (t *table) row(state []float64) *row {
	t.key = t.key[:0]
	for _, x := range state {
		t.key = binary.AppendVarint(t.key, whole(x))
	}
	return t.rows[string(t.key)]
}

// whole truncates; what is no such number is 0.
func whole(x float64) int64 {
	if !(math.Abs(x) < 1<<53) {
		return 0
	}
	return int64(x)
}

// at implements values.
func (t *tiles) at(state []float64, action int) float64 {
	return t.sum(t.activate(state, uint64(action)))
}

// best implements values.
func (t *tiles) best(state []float64, actions Actions, usual int) int {
	return actions.best(usual, func(action int) float64 { return t.at(state, action) })
}

// move implements values.
func (t *tiles) move(state []float64, action int, step float64) {
	t.add(t.activate(state, uint64(action)), step)
}

func (t *tiles) size() int { return len(t.weights) }

package rl

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// agentParts is what was learned by an Agent, of whichever form.
type agentParts struct {
	average float64
	tiles   *tiles // or
	table   *table
}

// averageTemporals averages agent by agent. Peers keep an action of their own: what
// was learned of one under different numbers is put together.
func averageTemporals(all []json.RawMessage) (any, error) {
	read := make([]temporalKnowledge, len(all))
	for i, raw := range all {
		err := json.Unmarshal(raw, &read[i])
		if err == nil {
			_, err = columnsFrom(read[i].Columns)
		}
		if err != nil {
			return nil, fmt.Errorf("snapshot %d: %w: %w", i+1, ErrCorrupt, err)
		}
	}
	merged := temporalKnowledge{Columns: joinColumns(read)}
	moves := make([]moves, len(read))
	for i := range read {
		moves[i] = movesOf(read[i].Columns, merged.Columns)
	}
	var err error
	if merged.Agents, err = averageAgents(read, moves, func(k *temporalKnowledge) map[string]json.RawMessage { return k.Agents }); err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	if merged.Gates, err = averageAgents(read, moves, func(k *temporalKnowledge) map[string]json.RawMessage { return k.Gates }); err != nil {
		return nil, fmt.Errorf("gates: %w", err)
	}
	return merged, nil
}

// joinColumns gives the peers that most know an action each.
func joinColumns(all []temporalKnowledge) map[key]int {
	known := make(map[peer.ID]int)
	for i := range all {
		for k := range all[i].Columns {
			known[k.id]++
		}
	}
	columns := make(map[key]int, len(known))
	for i, id := range most(known, MaxActions-actionPeers, func(count int) float64 { return float64(count) }) {
		columns[key{id}] = actionPeers + i
	}
	return columns
}

// moves says which action becomes which; -1 is dropped.
type moves [MaxActions]int

func movesOf(from, to map[key]int) (m moves) {
	for action := range m {
		m[action] = action
		if action >= actionPeers && len(to) > 0 {
			m[action] = -1
		}
	}
	for k, action := range from {
		if column, ok := to[k]; ok {
			m[action] = column
		}
	}
	return m
}

func averageAgents(all []temporalKnowledge, moves []moves, of func(*temporalKnowledge) map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	known := make(map[string][]agentParts)
	for i := range all {
		for function, raw := range of(&all[i]) {
			a, err := readAgent(raw)
			if err != nil {
				return nil, fmt.Errorf("snapshot %d: function %q: %w: %w", i+1, function, ErrCorrupt, err)
			}
			if a.table != nil {
				a.table.rename(&moves[i])
			}
			known[function] = append(known[function], a)
		}
	}
	merged := make(map[string]json.RawMessage, len(known))
	for _, function := range most(known, mostFunctions, evidenceOf) {
		raw, err := blendAgents(known[function])
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", function, err)
		}
		merged[function] = raw
	}
	return merged, nil
}

// readAgent reads an Agent whatever its form: a table is a list of states.
func readAgent(raw json.RawMessage) (a agentParts, err error) {
	var k agentKnowledge
	if err := json.Unmarshal(raw, &k); err != nil {
		return a, err
	}
	if err := checkWeight(k.Average); err != nil {
		return a, err
	}
	a.average = k.Average
	if bytes.HasPrefix(k.Values, []byte("[")) {
		a.table = newTable()
		return a, a.table.UnmarshalJSON(k.Values)
	}
	a.tiles = newTiles(1, 1)
	return a, a.tiles.UnmarshalJSON(k.Values)
}

func blendAgents(all []agentParts) (json.RawMessage, error) {
	var k agentKnowledge
	var evidence float64
	tabular := all[0].table != nil
	tables, grids := []*table(nil), []*tiles(nil)
	for i := range all {
		if tabular != (all[i].table != nil) {
			return nil, fmt.Errorf("%w: a table and tiles", ErrCorrupt)
		}
		e := all[i].evidence()
		evidence += e
		if evidence > 0 {
			k.Average += (all[i].average - k.Average) * e / evidence
		}
		tables, grids = append(tables, all[i].table), append(grids, all[i].tiles)
	}
	var err error
	if tabular {
		t := newTable()
		t.blend(tables)
		k.Values, err = t.MarshalJSON()
	} else {
		t := newTiles(1, 1)
		t.blend(grids)
		k.Values, err = t.MarshalJSON()
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(k)
}

func evidenceOf(agents []agentParts) (sum float64) {
	for i := range agents {
		sum += agents[i].evidence()
	}
	return sum
}

// evidence is how often values were moved.
func (a *agentParts) evidence() (sum float64) {
	if a.tiles != nil {
		for _, n := range a.tiles.visits {
			sum += float64(n)
		}
		return sum
	}
	for _, r := range a.table.rows {
		sum += r.evidence()
	}
	return sum
}

func (r *row) evidence() (sum float64) {
	for _, n := range r.visits {
		sum += float64(n)
	}
	return sum
}

// rename gives actions their new numbers.
func (t *table) rename(m *moves) {
	for _, r := range t.rows {
		var to row
		for action, column := range m {
			if column >= 0 && r.visits[action] > 0 {
				to.values[column], to.visits[column] = r.values[action], r.visits[action]
			}
		}
		*r = to
	}
}

// blend is the mean by visits; of too many states those visited most stay.
func (t *table) blend(all []*table) {
	rows := make(map[string][]*row)
	for _, o := range all {
		for state, r := range o.rows {
			rows[state] = append(rows[state], r)
		}
	}
	known := make(map[string]*row, len(rows))
	for state, list := range rows {
		known[state] = blendRows(list)
	}
	for _, state := range most(known, mostRows, (*row).evidence) {
		t.rows[state] = known[state]
	}
}

func blendRows(all []*row) *row {
	var r row
	for action := range r.values {
		var m visited
		for _, o := range all {
			m.add(o.values[action], o.visits[action])
		}
		m.store(&r.values[action], &r.visits[action])
	}
	return &r
}

package rl

import (
	"encoding/json"
	"fmt"
)

// agentKnowledge is an Agent's.
type agentKnowledge struct {
	Average float64         `json:"average_reward"`
	Values  json.RawMessage `json:"values"`
}

// features names what an Agent learns.
func (a *Agent) features() string {
	return fmt.Sprintf("rule %d, gamma %v, %s", a.config.Rule, a.config.Gamma, a.values.features())
}

// MarshalJSON implements json.Marshaler: it writes what was learned, not what is
// still waited for.
func (a *Agent) MarshalJSON() ([]byte, error) {
	raw, err := a.values.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return json.Marshal(agentKnowledge{a.average, raw})
}

// UnmarshalJSON implements json.Unmarshaler, for an Agent of the same
// configuration. It explores a little more for a while.
func (a *Agent) UnmarshalJSON(data []byte) error {
	var k agentKnowledge
	if err := json.Unmarshal(data, &k); err != nil {
		return err
	}
	if err := checkWeight(k.Average); err != nil {
		return err
	}
	if err := a.values.UnmarshalJSON(k.Values); err != nil {
		return err
	}
	a.average = k.Average
	a.explore.restored()
	return nil
}

// temporalKnowledge is what a temporal has learned. Agents decide on what
// enters, gates on what peers forward.
type temporalKnowledge struct {
	Agents map[string]json.RawMessage `json:"agents"`
	Gates  map[string]json.RawMessage `json:"gates,omitempty"`
	// Columns are the actions of peers.
	Columns map[key]int `json:"columns,omitempty"`
}

// Snapshot implements sched.Snapshotter.
func (p *temporal) Snapshot() ([]byte, error) {
	k := temporalKnowledge{Columns: make(map[key]int)}
	var err error
	if k.Agents, err = agentsToRaw(&p.agents); err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", p.name, err)
	}
	if k.Gates, err = agentsToRaw(&p.gates); err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", p.name, err)
	}
	for id, column := range p.columns.of {
		k.Columns[key{id}] = column
	}
	return pack(p.name, p.newAgent().features(), k)
}

// Restore implements sched.Snapshotter. What is wrong leaves all as it was.
func (p *temporal) Restore(data []byte) error {
	var k temporalKnowledge
	if err := unpack(data, p.name, p.newAgent().features(), &k); err != nil {
		return err
	}
	agents, err := agentsFromRaw(k.Agents, p.newAgent)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	gates, err := agentsFromRaw(k.Gates, p.newAgent)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	columns, err := columnsFrom(k.Columns)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	p.agents, p.gates, p.columns = agents, gates, columns
	return nil
}

func agentsToRaw(agents *lru[string, Agent]) (map[string]json.RawMessage, error) {
	all := make(map[string]json.RawMessage, len(agents.entries))
	for function, e := range agents.entries {
		raw, err := e.value.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", function, err)
		}
		all[function] = raw
	}
	return all, nil
}

func agentsFromRaw(all map[string]json.RawMessage, fresh func() *Agent) (lru[string, Agent], error) {
	agents := newLRU[string](mostFunctions, fresh)
	if err := checkCount(len(all), mostFunctions, "functions"); err != nil {
		return agents, err
	}
	for function, raw := range all {
		if err := agents.get(function).UnmarshalJSON(raw); err != nil {
			return agents, fmt.Errorf("function %q: %w", function, err)
		}
	}
	return agents, nil
}

func columnsFrom(all map[key]int) (columns, error) {
	c := newColumns()
	for k, column := range all {
		if column < actionPeers || column >= MaxActions || c.peers[column] != "" || k.id == "" {
			return c, fmt.Errorf("column %d of a peer is none, or another's", column)
		}
		c.of[k.id], c.peers[column] = column, k.id
	}
	return c, nil
}

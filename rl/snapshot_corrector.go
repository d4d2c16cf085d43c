package rl

import (
	"encoding/json"
	"fmt"
)

// knowledge is what a corrector has learned.
type knowledge struct {
	Functions map[string]functionKnowledge `json:"functions"`
}

type functionKnowledge struct {
	Decisions int             `json:"decisions"`
	Outcomes  uint64          `json:"outcomes"`
	Sizes     sizes           `json:"sizes"`
	Model     json.RawMessage `json:"model"`
}

// Snapshot implements sched.Snapshotter.
func (c *corrector) Snapshot() ([]byte, error) {
	k := knowledge{make(map[string]functionKnowledge, len(c.models.entries))}
	for function, e := range c.models.entries {
		raw, err := e.value.estimator.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("snapshot of %s: function %q: %w", c.name, function, err)
		}
		k.Functions[function] = functionKnowledge{e.value.decisions, e.value.outcomes, e.value.sizes, raw}
	}
	return pack(c.name, c.fresh().features(), k)
}

// Restore implements sched.Snapshotter. What is wrong leaves all as it was.
func (c *corrector) Restore(data []byte) error {
	var k knowledge
	if err := unpack(data, c.name, c.fresh().features(), &k); err != nil {
		return err
	}
	if err := checkCount(len(k.Functions), mostFunctions, "functions"); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	restored := newLRU[string](mostFunctions, c.models.fresh)
	for function, f := range k.Functions {
		m := restored.get(function)
		if err := m.restore(&f); err != nil {
			return fmt.Errorf("%w: function %q: %w", ErrCorrupt, function, err)
		}
	}
	c.models = restored
	c.explore.restored()
	return nil
}

func (m *model) restore(f *functionKnowledge) error {
	if f.Decisions < 0 || f.Sizes.Count < 0 {
		return fmt.Errorf("counts are below 0")
	}
	if err := checkWeight(f.Sizes.Mean); err != nil {
		return err
	}
	m.decisions, m.outcomes, m.sizes = f.Decisions, f.Outcomes, f.Sizes
	return m.estimator.UnmarshalJSON(f.Model)
}

// logisticKnowledge is a logistic's.
type logisticKnowledge struct {
	Weights []normal       `json:"weights"`
	Arms    map[key]normal `json:"arms"`
}

// features implements estimator.
func (l *logistic) features() string {
	return "logistic of on time: 1, logit of the prior, age, remote, fill, size, size above the usual; peers"
}

// MarshalJSON implements json.Marshaler.
func (l *logistic) MarshalJSON() ([]byte, error) {
	k := logisticKnowledge{l.weights[:], make(map[key]normal, len(l.arms.entries))}
	for id, e := range l.arms.entries {
		k.Arms[key{id}] = e.value.normal
	}
	return json.Marshal(k)
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *logistic) UnmarshalJSON(data []byte) error {
	var k logisticKnowledge
	if err := json.Unmarshal(data, &k); err != nil {
		return err
	}
	if len(k.Weights) != logisticFeatures {
		return fmt.Errorf("%d weights, want %d", len(k.Weights), logisticFeatures)
	}
	if err := checkCount(len(k.Arms), mostArms, "peers"); err != nil {
		return err
	}
	fresh := newLogistic()
	for i, w := range k.Weights {
		if err := w.check(); err != nil {
			return err
		}
		fresh.weights[i] = w
	}
	for k, w := range k.Arms {
		if err := w.check(); err != nil {
			return err
		}
		fresh.arms.get(k.id).normal = w
	}
	*l = *fresh
	return nil
}

func (w *normal) check() error {
	if !(w.Variance > 0 && w.Variance <= 1) {
		return fmt.Errorf("variance %v is not above 0 and at most 1", w.Variance)
	}
	return checkWeight(w.Mean)
}

// features implements estimator.
func (m *residual) features() string {
	return "residual of on time: " + m.tiles.features() + ", own fill, fill, size, remote; peers"
}

// MarshalJSON implements json.Marshaler.
func (m *residual) MarshalJSON() ([]byte, error) { return json.Marshal(m.tiles) }

// UnmarshalJSON implements json.Unmarshaler.
func (m *residual) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, m.tiles) }

package rl

import (
	"encoding/json"
	"fmt"
	"slices"
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
		f, err := e.value.knowledge()
		if err != nil {
			return nil, fmt.Errorf("snapshot of %s: function %q: %w", c.name, function, err)
		}
		k.Functions[function] = f
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

func (m *model) knowledge() (functionKnowledge, error) {
	raw, err := m.estimator.MarshalJSON()
	return functionKnowledge{m.decisions, m.outcomes, m.sizes, raw}, err
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
	// Seen and ArmsSeen are from how many outcomes they are; not in snapshots of old.
	Seen     []float64       `json:"seen,omitempty"`
	ArmsSeen map[key]float64 `json:"arms_seen,omitempty"`
}

// features implements estimator.
func (l *logistic) features() string {
	return "logistic of on time: 1, logit of the prior, age, remote, fill, size, size above the usual; peers"
}

// MarshalJSON implements json.Marshaler.
func (l *logistic) MarshalJSON() ([]byte, error) {
	n := len(l.arms.entries)
	k := logisticKnowledge{l.weights[:], make(map[key]normal, n), l.seen[:], make(map[key]float64, n)}
	for id, e := range l.arms.entries {
		k.Arms[key{id}], k.ArmsSeen[key{id}] = e.value.normal, e.value.seen
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
	if err := k.counts(fresh); err != nil {
		return err
	}
	*l = *fresh
	return nil
}

// counts restores from how many outcomes the weights are.
func (k *logisticKnowledge) counts(l *logistic) error {
	if len(k.Seen) != logisticFeatures && k.Seen != nil {
		return fmt.Errorf("%d counts for %d weights", len(k.Seen), logisticFeatures)
	}
	copy(l.seen[:], k.Seen)
	for k, seen := range k.ArmsSeen {
		e, ok := l.arms.entries[k.id]
		if !ok {
			return fmt.Errorf("outcomes of a peer without a bias")
		}
		e.value.seen = seen
		if !(seen >= 0) {
			return fmt.Errorf("counts are below 0")
		}
	}
	if !(slices.Min(l.seen[:]) >= 0) {
		return fmt.Errorf("counts are below 0")
	}
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

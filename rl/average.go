package rl

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
)

// ErrNothing: there are no snapshots to average, or none that can be.
var ErrNothing = errors.New("nothing to average")

// Average makes one snapshot of several: of nodes, or of runs of a simulation, for
// one node to begin with. They must be of the same policy with the same features, else it
// is an [ErrForeign]. Each number is the mean over those who know it, weighted by the
// evidence that each has for it: by how much a weight of calibrated or bandit is surer
// than its prior, and by how often a value of residual, sarsa or q-learning was moved. No
// number is taken for surer than the surest of them had it, as they may have learned from
// the same.
//
// Beyond what a snapshot may hold, what has the most evidence stays. The snapshots
// are believed: between nodes that need not trust each other, share (see [sched.Sharer]).
func Average(snapshots ...[]byte) ([]byte, error) {
	if len(snapshots) == 0 {
		return nil, ErrNothing
	}
	first, err := readSnapshot(snapshots[0])
	if err != nil {
		return nil, fmt.Errorf("average: snapshot 1: %w", err)
	}
	all := []json.RawMessage{first.Knowledge}
	for i, data := range snapshots[1:] {
		s, err := readSnapshot(data)
		if err == nil && (s.Policy != first.Policy || s.Features != first.Features) {
			err = fmt.Errorf("%w: policy %q with features %s, the first one is of %q with %s", ErrForeign, s.Policy, s.Features, first.Policy, first.Features)
		}
		if err != nil {
			return nil, fmt.Errorf("average: snapshot %d: %w", i+2, err)
		}
		all = append(all, s.Knowledge)
	}
	knowledge, err := averageOf(first.Policy, all)
	if err != nil {
		return nil, fmt.Errorf("average: %w", err)
	}
	if first.Knowledge, err = json.Marshal(knowledge); err != nil {
		return nil, fmt.Errorf("average: %w", err)
	}
	first.Sum = crc32.ChecksumIEEE(first.Knowledge)
	return json.Marshal(first)
}

// averageOf averages the knowledge of a policy.
func averageOf(policy string, all []json.RawMessage) (any, error) {
	switch policy {
	case "calibrated", "bandit":
		return averageModels(all, func() estimator { return newLogistic() })
	case "residual":
		return averageModels(all, func() estimator { return newResidual(0) })
	case "sarsa", "q-learning":
		return averageTemporals(all)
	}
	return nil, fmt.Errorf("%w: policy %q", ErrNothing, policy)
}

func averageModels(all []json.RawMessage, fresh func() estimator) (any, error) {
	known := make(map[string][]*model)
	for i, raw := range all {
		var k knowledge
		if err := json.Unmarshal(raw, &k); err != nil {
			return nil, fmt.Errorf("snapshot %d: %w: %w", i+1, ErrCorrupt, err)
		}
		for function, f := range k.Functions {
			m := &model{estimator: fresh()}
			if err := m.restore(&f); err != nil {
				return nil, fmt.Errorf("snapshot %d: function %q: %w: %w", i+1, function, ErrCorrupt, err)
			}
			known[function] = append(known[function], m)
		}
	}
	merged := make(map[string]*model, len(known))
	for function, models := range known {
		merged[function] = blendModels(models, fresh())
	}
	k := knowledge{make(map[string]functionKnowledge, len(merged))}
	for _, function := range most(merged, mostFunctions, func(m *model) float64 { return float64(m.outcomes) }) {
		f, err := merged[function].knowledge()
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", function, err)
		}
		k.Functions[function] = f
	}
	return k, nil
}

// mostCounted is where counts end that are added up; two fit into an int anywhere.
const mostCounted = 1 << 29

func blendModels(models []*model, e estimator) *model {
	m := &model{estimator: e}
	estimators := make([]estimator, len(models))
	for i, o := range models {
		estimators[i] = o.estimator
		m.decisions = min(m.decisions+min(o.decisions, mostCounted), mostCounted)
		m.outcomes = min(m.outcomes+min(o.outcomes, mostCounted), mostCounted)
		m.sizes.blend(&o.sizes)
	}
	e.blend(estimators)
	return m
}

// blend takes in what another knows.
func (s *sizes) blend(o *sizes) {
	if o.Count == 0 {
		return
	}
	count := min(s.Count+min(o.Count, mostCounted), mostCounted)
	s.Mean += (o.Mean - s.Mean) * float64(o.Count) / max(float64(o.Count), float64(count))
	s.Count = count
}

// blend implements estimator.
func (l *logistic) blend(all []estimator) {
	arms, seen := make(map[peer.ID][]normal), make(map[peer.ID]float64)
	weights := make([][]normal, logisticFeatures)
	for _, e := range all {
		o := e.(*logistic)
		for i, w := range o.weights {
			weights[i] = append(weights[i], w)
			l.seen[i] = max(l.seen[i], o.seen[i])
		}
		for id, a := range o.arms.entries {
			arms[id] = append(arms[id], a.value.normal)
			seen[id] = max(seen[id], a.value.seen)
		}
	}
	for i := range l.weights {
		l.weights[i] = blendNormals(logisticPrior[i], weights[i])
	}
	first := normal{0, armVariance}
	known := make(map[peer.ID]normal, len(arms))
	for id, list := range arms {
		known[id] = blendNormals(first, list)
	}
	for _, id := range most(known, mostArms, func(w normal) float64 { return w.evidence(armVariance) }) {
		a := l.arms.get(id)
		a.normal, a.seen = known[id], seen[id]
	}
}

// blendNormals is the mean by evidence.
func blendNormals(first normal, all []normal) normal {
	var sum, evidence float64
	least := first.Variance
	for _, w := range all {
		e := w.evidence(first.Variance)
		if w.Mean != first.Mean {
			e = max(e, leastEvidence)
		}
		sum += e * w.Mean
		evidence += e
		least = min(least, w.Variance)
	}
	if evidence == 0 {
		return first
	}
	return normal{sum / evidence, least}
}

// leastEvidence is that of a weight which was moved and has become as uncertain since
// as it was at first: it stands where nobody knows better.
const leastEvidence = 1e-6

// evidence is by how much a weight is surer than at first: in inverse variance,
// that is in observations of variance 1.
func (w normal) evidence(first float64) float64 { return max(0, 1/w.Variance-1/first) }

// blend implements estimator.
func (m *residual) blend(all []estimator) {
	list := make([]*tiles, len(all))
	for i, e := range all {
		list[i] = e.(*residual).tiles
	}
	m.tiles.blend(list)
}

// blend is the mean by visits.
func (t *tiles) blend(all []*tiles) {
	for i := range t.weights {
		var m visited
		for _, o := range all {
			m.add(o.weights[i], o.visits[i])
		}
		m.store(&t.weights[i], &t.visits[i])
	}
}

// visited is a mean by visits.
type visited struct{ sum, visits float64 }

func (m *visited) add(value float64, visits uint16) {
	m.sum += float64(visits) * value
	m.visits += float64(visits)
}

// store leaves alone what nobody has visited.
func (m *visited) store(value *float64, visits *uint16) {
	if m.visits > 0 {
		*value, *visits = m.sum/m.visits, uint16(min(m.visits, mostVisits))
	}
}

// most are the keys of what has the most, at most count of them.
func most[K cmp.Ordered, V any](all map[K]V, count int, has func(V) float64) []K {
	keys := slices.SortedFunc(maps.Keys(all), func(a, b K) int {
		return cmp.Or(cmp.Compare(has(all[b]), has(all[a])), cmp.Compare(a, b))
	})
	return keys[:min(count, len(keys))]
}

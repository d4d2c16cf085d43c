package rl

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

const (
	// mostExplained bounds the functions that are told of, those with the most
	// outcomes first; mostPeersTold the peers of each.
	mostExplained = 16
	mostPeersTold = 32
)

// asked is an estimator that is asked without leaving a trace in it.
type asked interface {
	// chance is that of being on time at a place, and how much it may be off.
	chance(p *place) (chance, doubt float64)
	// heard is how many outcomes of a peer still count, about.
	heard(id peer.ID) float64
}

// still is what can be asked of an estimator.
func still(e estimator) asked {
	switch e := e.(type) {
	case *logistic:
		return e.still()
	case *residual:
		return stillResidual{e}
	}
	return nil
}

// Explain implements sched.Explainer.
func (c *corrector) Explain(peers []peer.ID) (all []sched.Explanation) {
	models := make(map[string]*model, len(c.models.entries))
	for function, e := range c.models.entries {
		models[function] = e.value
	}
	for _, function := range most(models, mostExplained, func(m *model) float64 { return float64(m.outcomes) }) {
		m := models[function]
		w := words{asked: still(m.estimator), now: c.safety.now}
		w.calibration("here", w.typical(false))
		w.calibration("elsewhere", w.typical(true))
		w.differences()
		w.peers(peers)
		all = append(all, sched.Explanation{Function: function, Outcomes: m.outcomes, Sentences: w.sentences})
	}
	return all
}

// told is a peer, and how much was heard of it.
type told struct {
	id    peer.ID
	heard float64
}

// mostHeard are the peers of whom something was heard, those of the most first.
func mostHeard(peers []peer.ID, heard func(peer.ID) float64) (known []told, others int) {
	for _, id := range peers {
		if n := heard(id); n >= 1 {
			known = append(known, told{id, n})
		}
	}
	slices.SortFunc(known, func(a, b told) int {
		return cmp.Or(cmp.Compare(b.heard, a.heard), cmp.Compare(a.id, b.id))
	})
	others = len(peers) - len(known)
	return known[:min(len(known), mostPeersTold)], others
}

// percent is a share of 1 in words.
func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

// points is a difference of shares in words; less than half a point is none.
func points(x float64) string {
	if math.Abs(x) < 0.005 {
		return "no difference"
	}
	return fmt.Sprintf("%+.0f points", 100*x)
}

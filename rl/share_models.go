package rl

import (
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// shared is what an estimator does for nodes to learn from one another.
type shared interface {
	// account is what was learned from this node's own outcomes.
	account(now time.Duration) account
	// borrow has corrections reckon with what others are believed, nil for nothing.
	borrow(lent *account)
	// leaveOut takes from an account what it says of a peer.
	leaveOut(a account, of peer.ID)
	// size is how many weights there are.
	size() int
	// scale is that of a weight, peerScale that of a peer's bias.
	scale(i uint16) scale
	peerScale() scale
}

const (
	// shareBand and shareReach are how far one voice, and all, may move a weight, in
	// standard deviations of what is believed at first.
	shareBand  = 0.2
	shareReach = 4
)

// account implements shared. What this node is like, the bias of here, is its own
// affair.
func (l *logistic) account(now time.Duration) account {
	a := account{make(map[uint16]claim, logisticFeatures), make(map[peer.ID]claim, len(l.arms.entries))}
	for i, w := range l.weights {
		if l.seen[i] > 0 {
			a.weights[uint16(i)] = claim{w.Mean, min(l.seen[i], worth)}
		}
	}
	for id, e := range l.arms.entries {
		arm := *e.value
		arm.fade(now)
		if id != "" && arm.seen > 0 {
			a.peers[id] = claim{arm.Mean, min(arm.seen, worth)}
		}
	}
	return a
}

// borrow implements shared.
func (l *logistic) borrow(lent *account) { l.lent = lent }

// leaveOut implements shared.
func (l *logistic) leaveOut(a account, of peer.ID) {
	delete(a.peers, of)
	delete(a.peers, "")
}

// size implements shared.
func (l *logistic) size() int { return logisticFeatures }

// scale implements shared.
func (l *logistic) scale(i uint16) scale { return logisticPrior[i].scale() }

// peerScale implements shared.
func (l *logistic) peerScale() scale { return normal{0, armVariance}.scale() }

func (w normal) scale() scale {
	sd := math.Sqrt(w.Variance)
	return scale{w.Mean, shareBand * sd, shareReach * sd}
}

// with is what is believed together with others, for who has that many outcomes: w
// as it is where they know nothing. It is no surer than whoever is surer.
func (w normal) with(others claim, own, first float64) normal {
	part := others.part(own)
	theirs := first * worth / (worth + others.count)
	return normal{w.Mean + part*(others.value-w.Mean), w.Variance + part*min(0, theirs-w.Variance)}
}

const (
	// residualBand and residualReach are how far one voice, and all, may move one of
	// the weights whose sum is a correction.
	residualBand  = 0.018
	residualReach = 0.15
)

// account implements shared.
func (m *residual) account(time.Duration) account {
	a := account{weights: make(map[uint16]claim)}
	for i, visits := range m.tiles.visits {
		if visits > 0 {
			a.weights[uint16(i)] = claim{m.tiles.weights[i], min(float64(visits), worth)}
		}
	}
	delete(a.weights, uint16(tileOf("", false)))
	return a
}

// borrow implements shared.
func (m *residual) borrow(lent *account) { m.lent = lent }

// leaveOut implements shared. Peers have a weight among the others.
func (m *residual) leaveOut(a account, of peer.ID) {
	delete(a.weights, uint16(tileOf(of, true)))
	delete(a.weights, uint16(tileOf("", false)))
	clear(a.peers)
}

// size implements shared.
func (m *residual) size() int { return tileWeights }

// scale implements shared.
func (m *residual) scale(uint16) scale { return scale{0, residualBand, residualReach} }

// peerScale implements shared.
func (m *residual) peerScale() scale { return scale{} }

// sum is the correction by active tiles, together with what others are believed.
func (m *residual) sum(active []uint32) float64 {
	if m.lent == nil {
		return m.tiles.sum(active)
	}
	var sum float64
	for _, i := range active {
		own, others := m.tiles.weights[i], m.lent.weight(uint16(i))
		sum += own + others.part(float64(m.tiles.visits[i]))*(others.value-own)
	}
	return sum
}

package rl

import (
	"math/rand/v2"

	"github.com/libp2p/go-libp2p/core/peer"
)

// residual learns by how much the reward at a place differs from the default's
// chance of being on time: Q(s, a) = prior(s, a) + w phi(s, a), in tile coding over how full
// this node and the drawn one are, one function for each action, and one weight for
// each peer. The target is the reward alone (gamma 0): what a decision does to later ones
// is small against what it does to its own invocation.
type residual struct {
	tiles *tiles
	alpha float64
	lent  *account // what others are believed; nil for nothing
}

const (
	residualTilings = 8
	// residualWidth gives eight tiles over the range of a fill.
	residualWidth = 1.0 / 8
	// residualDoubt is what the corrections differ from the truth by chance: the
	// standard deviation of a mean of rewards that step size .05 has averaged.
	residualDoubt = 0.04
)

func newResidual(alpha float64) *residual {
	return &residual{tiles: newTiles(residualTilings, residualWidth), alpha: alpha}
}

// active are the tiles of a place, and its peer's.
func (m *residual) active(p *place) []uint32 {
	state := [3]float64{p.own, p.fill, p.size / sizeRange / 2}
	list := m.tiles.activate(state[:], actionOf(p.remote))
	m.tiles.active = append(list, tileOf(p.peer, p.remote))
	return m.tiles.active
}

func actionOf(remote bool) uint64 {
	if remote {
		return 2
	}
	return 1
}

// tileOf is a peer's, or that of here.
func tileOf(id peer.ID, remote bool) uint32 {
	return uint32(mix(hash(id)^actionOf(remote)<<32) & (tileWeights - 1))
}

// correction implements estimator.
func (m *residual) correction(p *place) float64 {
	return beyond(m.sum(m.active(p)), residualDoubt)
}

// sample implements estimator.
func (m *residual) sample(p *place, rng *rand.Rand) float64 {
	return p.prior + m.sum(m.active(p)) + residualDoubt*rng.NormFloat64()
}

// learn implements estimator. What others are believed has no part in it.
func (m *residual) learn(p *place, reward float64) (err float64) {
	active := m.active(p)
	err = reward - p.prior - m.tiles.sum(active)
	m.tiles.add(active, m.alpha*err)
	return err
}

// revive implements estimator: its steps do not shrink, so there is nothing to do.
func (m *residual) revive() {}

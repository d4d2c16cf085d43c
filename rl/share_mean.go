package rl

import (
	"fmt"
	"math"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
)

// account is what a node knows of one function: weights by number, and the biases
// of peers. Only those are in it that something is known of.
type account struct {
	weights map[uint16]claim
	peers   map[peer.ID]claim
}

// claim is a weight and from how many outcomes it is, at most worth.
type claim struct{ value, count float64 }

// scale says of a weight where it begins, how far one voice may move it, and how far
// all may.
type scale struct{ first, band, reach float64 }

// mostClaimed is beyond what is claimed in earnest: e^20 to 1.
const mostClaimed = 20

// check tells what is wrong with what somebody claims to know.
func (a account) check(m estimator) error {
	for i, c := range a.weights {
		if int(i) >= m.size() {
			return fmt.Errorf("weight %d, there are %d", i, m.size())
		}
		if err := c.check(); err != nil {
			return fmt.Errorf("weight %d: %w", i, err)
		}
	}
	for id, c := range a.peers {
		if err := c.check(); err != nil {
			return fmt.Errorf("peer %s: %w", id, err)
		}
	}
	return nil
}

func (c claim) check() error {
	if !(math.Abs(c.value) <= mostClaimed) {
		return fmt.Errorf("%v is beyond %v", c.value, mostClaimed)
	}
	if !(c.count >= 0) || math.IsInf(c.count, 1) {
		return fmt.Errorf("from %v outcomes", c.count)
	}
	return nil
}

// mean is what others are believed, weight by weight.
//
// Some of them may lie. What each says is clipped to a band around the median, in
// which this node has a voice as well, and counts as worth outcomes at most; then the mean
// by outcomes is taken. As long as fewer lie than tell the truth, this node counted among
// the latter, the result is within a band of what those say. Of the estimators in Yin, Chen,
// Ramchandran and Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical
// Rates" (ICML 2018), it lies between the coordinate-wise median, whose robustness it has,
// and the mean, whose weights by evidence it keeps.
func mean(own account, others []account, m estimator) *account {
	weights, peers := make([]map[uint16]claim, len(others)), make([]map[peer.ID]claim, len(others))
	for i, o := range others {
		weights[i], peers[i] = o.weights, o.peers
	}
	return &account{
		weights: lent(own.weights, weights, m.scale),
		peers:   lent(own.peers, peers, func(peer.ID) scale { return m.peerScale() }),
	}
}

// lent is what others are believed of all that they know something of.
func lent[K comparable](own map[K]claim, others []map[K]claim, of func(K) scale) map[K]claim {
	all := make(map[K]claim)
	var voices []claim
	for _, o := range others {
		for k := range o {
			if _, done := all[k]; done {
				continue
			}
			voices = voices[:0]
			for _, v := range others {
				voices = heed(voices, v[k])
			}
			s := of(k)
			all[k] = robust(voiceOf(own[k], s), voices, s)
		}
	}
	return all
}

// heed adds a voice, if it stands on anything.
func heed(voices []claim, c claim) []claim {
	if c.count > 0 {
		voices = append(voices, claim{c.value, min(c.count, worth)})
	}
	return voices
}

// voiceOf is a node's own: that all is as at first, if it knows nothing.
func voiceOf(c claim, s scale) float64 {
	if c.count > 0 {
		return c.value
	}
	return s.first
}

// robust is the mean of voices, each clipped around the median of all and own.
func robust(own float64, voices []claim, s scale) claim {
	middle := median(own, voices)
	var lent claim
	for _, v := range voices {
		value := clip(v.value, middle, s.band)
		lent.count += v.count
		lent.value += (value - lent.value) * v.count / lent.count
	}
	lent.value = clip(lent.value, s.first, s.reach)
	lent.count = min(lent.count, mostWorth)
	return lent
}

// median is that of own and the voices; between two it is the one nearer to own.
func median(own float64, voices []claim) float64 {
	values := make([]float64, 1, len(voices)+1)
	values[0] = own
	for _, v := range voices {
		values = append(values, v.value)
	}
	slices.Sort(values)
	low, high := values[(len(values)-1)/2], values[len(values)/2]
	if math.Abs(own-low) <= math.Abs(high-own) {
		return low
	}
	return high
}

func clip(x, middle, band float64) float64 { return max(middle-band, min(middle+band, x)) }

// weight and peer are what others are believed; a nil account is that of nobody.
func (a *account) weight(i uint16) claim {
	if a == nil {
		return claim{}
	}
	return a.weights[i]
}

func (a *account) peer(id peer.ID) claim {
	if a == nil {
		return claim{}
	}
	return a.peers[id]
}

// part is how much a claim of others counts for who has that many outcomes of its own.
func (c claim) part(own float64) float64 { return c.count / (own + worth + c.count) }

package rl

import (
	"math"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"
)

// lieBound is by how much one peer that lies can change a chance.
const lieBound = 0.1

func estimators() map[string]func() estimator {
	return map[string]func() estimator{
		"logistic": func() estimator { return newLogistic() },
		"residual": func() estimator { return newResidual(0.05) },
	}
}

func drawPlace(t *rapid.T) place {
	p := place{
		prior: rapid.Float64Range(0, 1).Draw(t, "prior"), fresh: rapid.Float64Range(0, 1).Draw(t, "fresh"),
		own: rapid.Float64Range(0, 1).Draw(t, "own"), fill: rapid.Float64Range(0, 1).Draw(t, "fill"),
		size: rapid.Float64Range(-sizeRange, sizeRange).Draw(t, "size"),
	}
	if rapid.Bool().Draw(t, "remote") {
		p.remote, p.peer = true, rapid.SampledFrom([]peer.ID{"a", "b", "c"}).Draw(t, "peer")
	}
	return p
}

// drawLie is anything that passes for an account.
func drawLie(t *rapid.T, m estimator) account {
	claims := rapid.Custom(func(t *rapid.T) claim {
		return claim{rapid.Float64Range(-mostClaimed, mostClaimed).Draw(t, "value"), rapid.SampledFrom([]float64{0, 1, worth, 1e300}).Draw(t, "count")}
	})
	a := account{make(map[uint16]claim), make(map[peer.ID]claim)}
	extreme := claim{rapid.SampledFrom([]float64{-mostClaimed, mostClaimed}).Draw(t, "extreme"), 1e300}
	for i := range m.size() {
		a.weights[uint16(i)] = extreme
		if m.size() <= logisticFeatures {
			a.weights[uint16(i)] = claims.Draw(t, "weight")
		}
	}
	for _, id := range []peer.ID{"a", "b", "c"} {
		a.peers[id] = claims.Draw(t, "bias")
	}
	return a
}

// TestALoneLieIsBounded: whatever one peer claims of whatever many outcomes, no chance
// at any place changes by more than lieBound, be the node new or taught.
func TestALoneLieIsBounded(t *testing.T) {
	for name, fresh := range estimators() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m := fresh()
				for range rapid.IntRange(0, 30).Draw(t, "outcomes") {
					p := drawPlace(t)
					m.learn(&p, float64(rapid.IntRange(0, 1).Draw(t, "reward")))
				}
				lie := drawLie(t, m)
				if err := lie.check(m); err != nil {
					t.Fatal(err)
				}
				p := drawPlace(t)
				before := m.correction(&p)
				m.borrow(mean(m.account(0), []account{lie}, m))
				if after := m.correction(&p); !(math.Abs(after-before) <= lieBound) {
					t.Fatalf("from %v to %v", before, after)
				}
			})
		})
	}
}

// TestFewerLiarsThanOthers: what a node believes is within a band of what those say
// who do not lie, itself among them, as long as they are not fewer than the liars.
func TestFewerLiarsThanOthers(t *testing.T) {
	s := normal{0, armVariance}.scale()
	rapid.Check(t, func(t *rapid.T) {
		honest := rapid.SliceOfN(rapid.Float64Range(-2, 2), 1, 12).Draw(t, "honest")
		own := honest[0]
		liars := rapid.SliceOfN(rapid.Float64Range(-mostClaimed, mostClaimed), 0, len(honest)-1).Draw(t, "liars")
		var voices []claim
		for _, x := range honest[1:] {
			voices = heed(voices, claim{x, rapid.Float64Range(0.01, 1e6).Draw(t, "count")})
		}
		for _, x := range liars {
			voices = heed(voices, claim{x, 1e300})
		}
		if len(voices) == 0 {
			return
		}
		got := robust(own, voices, s)
		low, high := own, own
		for _, x := range honest {
			low, high = min(low, x), max(high, x)
		}
		if got.value < low-s.band-1e-9 || got.value > high+s.band+1e-9 || got.count > mostWorth {
			t.Fatalf("%v, those who do not lie say %v to %v", got, low, high)
		}
	})
}

// TestHonestWordsAreAveraged by the outcomes that they stand on, up to worth.
func TestHonestWordsAreAveraged(t *testing.T) {
	s := scale{0, 0.1, 2}
	for _, c := range []struct {
		name   string
		own    float64
		voices []claim
		want   claim
	}{
		{"by outcomes", 1, []claim{{1, 5}, {1.06, 15}}, claim{1.045, 20}},
		{"no more than worth", 1, []claim{{1, worth}, {1.06, 1e9}}, claim{1.03, 2 * worth}},
		{"one alone moves no further than a band", 0, []claim{{-1.5, worth}}, claim{-0.1, worth}},
		{"two against who knows nothing", 0, []claim{{-1.5, worth}, {-1.5, worth}}, claim{-1.5, 2 * worth}},
		{"not beyond what all may", 0, []claim{{-9, worth}, {-9, worth}}, claim{-2, 2 * worth}},
		{"all together have a bound", 1, []claim{{1, 20}, {1, 20}, {1, 20}, {1, 20}, {1, 20}}, claim{1, mostWorth}},
	} {
		var voices []claim
		for _, v := range c.voices {
			voices = heed(voices, v)
		}
		if got := robust(c.own, voices, s); math.Abs(got.value-c.want.value) > 1e-9 || got.count != c.want.count {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestOwnOutcomesWinInTheEnd: with more of them others count for less and less.
func TestOwnOutcomesWinInTheEnd(t *testing.T) {
	all := claim{1, mostWorth}
	for own, most := range map[float64]float64{0: 0.8, 100: 0.4, 1000: 0.08, 10_000: 0.008} {
		if got := all.part(own); got > most || got < most*0.9 {
			t.Errorf("with %v outcomes of its own others count for %v, want about %v", own, got, most)
		}
	}
	if (claim{}).part(0) != 0 {
		t.Error("who knows nothing counts")
	}
}

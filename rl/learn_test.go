package rl

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// truth is a world where some peers are worse than the prior says.
func truth(p *place) float64 {
	if p.peer == "slow" {
		return p.prior * 0.4
	}
	return p.prior
}

func somewhere(rng *rand.Rand) place {
	p := place{prior: 0.3 + 0.65*rng.Float64(), fresh: rng.Float64(), own: rng.Float64(), fill: rng.Float64()}
	if who := rng.IntN(4); who > 0 {
		p.remote, p.peer = true, []peer.ID{"", "slow", "well", "fine"}[who]
	}
	return p
}

// TestEstimatorsFindTheSlowPeer, and take nothing for true of the others.
func TestEstimatorsFindTheSlowPeer(t *testing.T) {
	for name, e := range map[string]estimator{"logistic": newLogistic(), "residual": newResidual(0.05)} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			for i := range 4000 {
				p := somewhere(rng)
				p.now = time.Duration(i) * 50 * time.Millisecond
				reward := 0.0
				if rng.Float64() < truth(&p) {
					reward = 1
				}
				e.learn(&p, reward)
			}
			var slow, others float64
			var count int
			for range 1000 {
				p := somewhere(rng)
				p.now = 200 * time.Second
				c := e.correction(&p)
				if p.peer != "slow" {
					others += math.Abs(c) / 750
					continue
				}
				slow += c - (truth(&p) - p.prior)
				count++
			}
			if off := slow / float64(count); math.Abs(off) > 0.12 {
				t.Errorf("the correction of the slow peer is off by %.3f", off)
			}
			if others > 0.05 {
				t.Errorf("the others are corrected by %.3f", others)
			}
		})
	}
}

// TestPriorIsLeftAlone: without evidence there is no correction, to the bit.
func TestPriorIsLeftAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for name, e := range map[string]estimator{"logistic": newLogistic(), "residual": newResidual(0.05)} {
		for range 1000 {
			p := somewhere(rng)
			p.size = 3 * rng.NormFloat64()
			if c := e.correction(&p); c != 0 {
				t.Fatalf("%s corrects %+v by %v", name, p, c)
			}
		}
	}
}

// TestBiasFades: who is shunned is tried again.
func TestBiasFades(t *testing.T) {
	l := newLogistic()
	p := place{remote: true, peer: "slow", prior: 0.9, fresh: 1}
	for range 100 {
		l.learn(&p, 0)
	}
	before := l.correction(&p)
	p.now += 10 * fades
	if after := l.correction(&p); before > -0.3 || after < before/2 {
		t.Errorf("corrected by %.3f, and much later by %.3f", before, after)
	}
}

// TestThompsonSamplingFindsTheBestArm, and ever more rarely tries the others.
func TestThompsonSamplingFindsTheBestArm(t *testing.T) {
	means := []float64{0.3, 0.5, 0.7, 0.4, 0.55}
	peers := []peer.ID{"a", "b", "c", "d", "e"}
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 3))
		l := newLogistic()
		l.weights = [logisticFeatures]normal{1: {slope, 1e-9}} // nothing but the arms to learn
		regret := [2]float64{}
		for turn := range 4000 {
			best, highest := 0, -1.0
			for arm, id := range peers {
				p := place{remote: true, peer: id, prior: 0.5, fresh: 1}
				if chance := l.sample(&p, rng); chance > highest {
					best, highest = arm, chance
				}
			}
			reward := 0.0
			if rng.Float64() < means[best] {
				reward = 1
			}
			l.learn(&place{remote: true, peer: peers[best], prior: 0.5, fresh: 1}, reward)
			regret[turn/2000] += 0.7 - means[best]
		}
		// Any arm at random would cost 420 in each half.
		if regret[1] > 100 || regret[1] > regret[0] {
			t.Errorf("seed %d: regret %.0f in the first half, %.0f in the second", seed, regret[0], regret[1])
		}
	}
}

func TestSizesTellTheUnusual(t *testing.T) {
	var s sizes
	for range 500 {
		s.add(1000)
	}
	if x := s.add(1000); math.Abs(x) > 1e-9 {
		t.Errorf("a usual body is %v", x)
	}
	if x := s.add(8000); x < 2 || x > sizeRange {
		t.Errorf("one of eight times the size is %v, want about 2.08", x)
	}
	if x := s.add(-1); x != 0 {
		t.Errorf("one of unknown size is %v", x)
	}
}

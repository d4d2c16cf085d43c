package rl

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// logistic corrects the default's chance of being on time by a logistic
// regression on what is known for free, with one bias for each peer and one for
// this node. Each weight has a mean and a variance, so that the steps shrink as evidence
// grows and what is not known yet changes nothing: diagonal Laplace approximation,
// algorithm 3 of Chapelle and Li, "An Empirical Evaluation of Thompson Sampling"
// (NIPS 2011).
//
// At its prior it returns the default's chance unchanged.
type logistic struct {
	weights [logisticFeatures]normal
	// seen is from how many outcomes each is.
	seen [logisticFeatures]float64
	arms lru[peer.ID, arm]
	lent *account // what others are believed; nil for nothing
}

// normal is what is believed of one weight.
type normal struct {
	Mean     float64 `json:"mean"`
	Variance float64 `json:"variance"`
}

// arm is the bias of one peer.
type arm struct {
	normal
	seen    float64 // outcomes, as far as they are not forgotten
	updated time.Duration
	begun   bool
}

const (
	logisticFeatures = 7
	// slope scales logits: with it a weight of slope on the prior's logit is the
	// identity, and all features are of about the same size.
	slope = 1.7
	// surest bounds the prior's chance, as no model is that sure of itself.
	surest = 0.995
	// armVariance is that of a peer's bias before anything is known: a node may
	// well be twice as slow as it says.
	armVariance = 0.3
	// wander is the share of its first variance by which a weight becomes less
	// certain with each outcome: what was true once need not be for ever.
	wander = 0.001
	// fades is the time in which a peer's bias shrinks to a third if nothing is
	// heard of it: else one that was shunned could never show that it has recovered.
	fades = 2 * time.Minute
	// logisticDoubt is how many standard deviations of a correction are not believed.
	logisticDoubt = 0.5
	// mostArms bounds the peers that are told apart.
	mostArms = 128
)

// logisticPrior is where the weights begin: of 1, the prior's logit, the
// report's age, being remote, that node's fill, the body's size, and its size above the
// usual, as what is long is late all of a sudden.
var logisticPrior = [logisticFeatures]normal{
	{0, 0.02}, {slope, 0.02}, {0, 0.02}, {0, 0.02}, {0, 0.02}, {0, 0.1}, {0, 0.1},
}

func newLogistic() *logistic {
	return &logistic{
		weights: logisticPrior,
		arms:    newLRU[peer.ID](mostArms, func() *arm { return &arm{normal: normal{0, armVariance}} }),
	}
}

func (p *place) features() [logisticFeatures]float64 {
	remote := 0.0
	if p.remote {
		remote = 1
	}
	return [logisticFeatures]float64{1, logit(p.prior) / slope, 1 - p.fresh, remote, p.fill, p.size / 2, max(0, p.size)}
}

func logit(p float64) float64 {
	p = max(1-surest, min(surest, p))
	return math.Log(p / (1 - p))
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// reckon is the logit of the chance at a place, and how uncertain it is.
func (l *logistic) reckon(p *place) normal {
	x := p.features()
	a := l.arms.get(p.peer)
	a.fade(p.now)
	sum := a.with(l.lent.peer(p.peer), a.seen, armVariance)
	for i, w := range l.weights {
		w = w.with(l.lent.weight(uint16(i)), l.seen[i], logisticPrior[i].Variance)
		sum.Mean += w.Mean * x[i]
		sum.Variance += w.Variance * x[i] * x[i]
	}
	return sum
}

// correction implements estimator: as far as it is beyond what may be chance.
func (l *logistic) correction(p *place) float64 {
	z := l.reckon(p)
	chance := sigmoid(z.Mean)
	sd := math.Sqrt(z.Variance) * chance * (1 - chance)
	return beyond(chance-sigmoid(logit(p.prior)), logisticDoubt*sd)
}

// beyond is x less what could be by chance.
func beyond(x, doubt float64) float64 {
	switch {
	case x > doubt:
		return x - doubt
	case x < -doubt:
		return x + doubt
	case math.IsNaN(x) || math.IsNaN(doubt):
		return math.NaN()
	}
	return 0
}

// sample implements estimator.
func (l *logistic) sample(p *place, rng *rand.Rand) float64 {
	z := l.reckon(p)
	return sigmoid(z.Mean + rng.NormFloat64()*math.Sqrt(z.Variance))
}

// learn implements estimator. What others are believed has no part in it.
func (l *logistic) learn(p *place, reward float64) (err float64) {
	x := p.features()
	a := l.arms.get(p.peer)
	a.fade(p.now)
	sum := a.Mean
	for i, w := range l.weights {
		sum += w.Mean * x[i]
	}
	chance := sigmoid(sum)
	err = reward - chance
	information := chance * (1 - chance)
	for i := range l.weights {
		l.weights[i].update(x[i], err, information, logisticPrior[i].Variance)
		l.seen[i] += min(1, math.Abs(x[i]))
	}
	a.update(1, err, information, armVariance)
	a.seen++
	return err
}

// update moves a weight of a feature x by an error.
func (w *normal) update(x, err, information, first float64) {
	w.Variance = min(first, w.Variance+wander*first)
	w.Variance = 1 / (1/w.Variance + x*x*information)
	w.Mean += w.Variance * x * err
}

// fade forgets with time.
func (a *arm) fade(now time.Duration) {
	if a.begun && now > a.updated {
		keep := math.Exp(-float64(now-a.updated) / float64(fades))
		a.Mean *= keep
		a.Variance = armVariance - (armVariance-a.Variance)*keep
		a.seen *= keep
	}
	a.updated, a.begun = now, true
}

// revive implements estimator: all is half as sure as it was, or less.
func (l *logistic) revive() {
	for i := range l.weights {
		w := &l.weights[i]
		w.Variance = (w.Variance + logisticPrior[i].Variance) / 2
		l.seen[i] /= 2
	}
	for _, e := range l.arms.entries {
		e.value.Variance = (e.value.Variance + armVariance) / 2
		e.value.seen /= 2
	}
}

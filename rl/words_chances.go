package rl

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// words are sentences about one function's chances of being on time.
type words struct {
	asked
	now       time.Duration
	sentences []sched.Sentence
}

const (
	// typicalChance is what the default reckons at the place that differences are told
	// of, typicalFill how full nodes are there: as many run and wait as they have servers.
	typicalChance = 0.8
	typicalFill   = 0.5
	// stranger is a peer that nothing is known of.
	stranger peer.ID = "\x00nobody"
)

// typical is a place that is like most: here, or at a peer that nothing is known of
// whose report was just made.
func (w *words) typical(remote bool) place {
	p := place{now: w.now, prior: typicalChance, fresh: 1, own: typicalFill, fill: typicalFill}
	if remote {
		p.remote, p.peer = true, stranger
	}
	return p
}

func (w *words) say(of peer.ID, format string, a ...any) {
	w.sentences = append(w.sentences, sched.Sentence{Peer: of, Text: fmt.Sprintf(format, a...)})
}

// calibration tells what comes of what the default reckons.
func (w *words) calibration(where string, at place) {
	var parts []string
	for _, at.prior = range []float64{0.95, typicalChance, 0.5} {
		chance, doubt := w.chance(&at)
		parts = append(parts, fmt.Sprintf("%s (± %.0f) where %s is reckoned", percent(chance), 100*doubt, percent(at.prior)))
	}
	w.say("", "on time %s: %s", where, strings.Join(parts, ", "))
}

// differences tells what a single thing changes, where 80 % is reckoned elsewhere,
// or here if that is what it is of.
func (w *words) differences() {
	for _, d := range []struct {
		text   string
		remote bool
		change func(*place)
	}{
		{"where a peer's report is half believed instead of wholly", true, func(p *place) { p.fresh = 0.5 }},
		{"where a peer has four times as much to do as it has servers", true, func(p *place) { p.fill = 0.8 }},
		{"where this node has four times as much to do as it has servers, here", false, func(p *place) { p.own, p.fill = 0.8, 0.8 }},
		{"for a body of three times the usual size, here", false, func(p *place) { p.size = math.Log(3) }},
		{"for a body of a third of it, here", false, func(p *place) { p.size = -math.Log(3) }},
	} {
		before := w.typical(d.remote)
		after := before
		d.change(&after)
		was, _ := w.chance(&before)
		is, _ := w.chance(&after)
		w.say("", "%s: %s", d.text, points(is-was))
	}
}

// peers tells of those of whom something was heard.
func (w *words) peers(peers []peer.ID) {
	known, others := mostHeard(peers, w.heard)
	for _, k := range known {
		at := w.typical(true)
		at.peer = k.id
		chance, doubt := w.chance(&at)
		w.say(k.id, "on time %s (± %.0f) instead of the %s reckoned, from about %.0f outcomes that still count",
			percent(chance), 100*doubt, percent(at.prior), k.heard)
	}
	if others > 0 {
		w.say("", "peers in view of which nothing is known: %d", others)
	}
}

// still is a copy with room for a stranger.
func (l *logistic) still() asked {
	c := stillLogistic{weights: l.weights, arms: newLRU[peer.ID](mostArms+1, l.arms.fresh)}
	for id, e := range l.arms.entries {
		*c.arms.get(id) = *e.value
	}
	return &c
}

type stillLogistic logistic

// chance implements asked.
func (l *stillLogistic) chance(p *place) (chance, doubt float64) {
	z := (*logistic)(l).reckon(p)
	chance = sigmoid(z.Mean)
	return chance, math.Sqrt(z.Variance) * chance * (1 - chance)
}

// heard implements asked: each outcome of a chance of p adds p (1 - p) to the inverse
// variance, which is a sixth or so.
func (l *stillLogistic) heard(id peer.ID) float64 {
	e, known := l.arms.entries[id]
	if !known {
		return 0
	}
	chance := sigmoid(e.value.Mean + logit(typicalChance))
	return e.value.evidence(armVariance) / (chance * (1 - chance))
}

// stillResidual is a residual, which is asked without a trace anyhow.
type stillResidual struct{ *residual }

// chance implements asked.
func (m stillResidual) chance(p *place) (chance, doubt float64) {
	return probability(p.prior + m.tiles.sum(m.active(p))), residualDoubt
}

// fewVisits of a peer's weight may be those of a tile that shares it.
const fewVisits = 20

// heard implements asked. Tiles count up to mostVisits.
func (m stillResidual) heard(id peer.ID) float64 {
	active := m.active(&place{peer: id, remote: true})
	if visits := m.tiles.visits[active[len(active)-1]]; visits >= fewVisits {
		return float64(visits)
	}
	return 0
}

package rl

import (
	"math"

	"github.com/p2pfaas/p2pfaas/sched"
)

const (
	// doubtful is how much less likely on time than reckoned the first peer drawn
	// must be for another to be drawn.
	doubtful = 0.05
	// surer is how much of the default's threshold each point of correction takes
	// away: what the threshold allows for is errors of the default's chances, and
	// these are what the correction takes out.
	surer = 2
	// leastThreshold remains of it.
	leastThreshold = 0.02
)

// correct has the default decide on corrected chances. To explore is to leave
// the decision to the default: its draw reaches every peer.
func correct(c *corrector, v *sched.View, r *sched.Request, s *situation) sched.Decision {
	w, model := &s.weighing, s.model.estimator
	if c.explore.explores(v.Rand) {
		return w.Decision
	}
	onHere, onThere := model.correction(&s.here), model.correction(&s.there)
	for i := 1; i < c.candidates && onThere < -doubtful; i++ {
		onThere = c.another(v, r, s, onThere)
	}
	switch {
	case math.IsNaN(onHere) || math.IsNaN(onThere):
		c.forget(s.model)
		return w.Decision
	case onHere == 0 && onThere == 0:
		return c.Settle(v, w)
	}
	w.Here.Chance = probability(w.Here.Chance + onHere)
	w.There.Chance = probability(w.There.Chance + onThere)
	w.Threshold = min(w.Threshold, max(leastThreshold, w.Threshold-surer*math.Abs(onThere-onHere)))
	if max(w.Here.Chance, w.There.Chance) < c.hopeless {
		return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonHopeless,
			Score: sched.Score{Here: w.Here.Chance, There: w.There.Chance}}
	}
	return c.Settle(v, w)
}

// another draws one more peer, and keeps who is likelier on time.
func (c *corrector) another(v *sched.View, r *sched.Request, s *situation, correction float64) float64 {
	if !c.redraw(v, r, s) {
		return correction
	}
	other := s.model.estimator.correction(&s.other)
	if s.other.prior+other <= s.there.prior+correction {
		return correction
	}
	s.weighing, s.there = s.second, s.other
	return other
}

// redraw draws another peer, which may be the same again.
func (c *corrector) redraw(v *sched.View, r *sched.Request, s *situation) bool {
	s.second = s.weighing
	if !c.Draw(v, r, &s.second) {
		return false
	}
	s.other = there(v, &s.second, s.size)
	return true
}

// sample goes where a draw from what is believed of each place is the highest:
// W. R. Thompson, "On the likelihood that one unknown probability exceeds another in
// view of the evidence of two samples" (Biometrika 25, 1933).
func sample(c *corrector, v *sched.View, r *sched.Request, s *situation) sched.Decision {
	model := s.model.estimator
	chances := sched.Score{There: model.sample(&s.there, v.Rand)}
	home := !math.IsInf(s.weighing.Here.Finish, 1)
	if home {
		chances.Here = model.sample(&s.here, v.Rand)
	}
	for i := 1; i < c.candidates && c.redraw(v, r, s); i++ {
		if chance := model.sample(&s.other, v.Rand); chance > chances.There {
			s.weighing, s.there, chances.There = s.second, s.other, chance
		}
	}
	switch {
	case !finite(chances.Here) || !finite(chances.There):
		c.forget(s.model)
		return c.Settle(v, &s.weighing)
	case home && chances.Here >= chances.There:
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonLearned, Score: chances}
	}
	peer := v.Neighbours[s.weighing.Peer].ID
	return sched.Decision{Action: sched.Forward, Peer: peer, Reason: sched.ReasonLearned, Score: chances}
}

func probability(x float64) float64 { return max(0, min(1, x)) }

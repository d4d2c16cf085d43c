package rl

import "github.com/p2pfaas/p2pfaas/sched"

// Policies returns a new Registry of this package's policies.
func Policies() sched.Registry {
	return sched.Registry{
		"bandit":     newBandit,
		"calibrated": newCalibrated,
		"external":   newExternal,
		"q-learning": newQLearning,
		"residual":   newResidualPolicy,
		"sarsa":      newSARSA,
	}
}

func newCalibrated(s *sched.Settings) sched.Policy {
	c := newCorrector(s, "calibrated", "chances of being on time are corrected by a logistic regression for each function",
		func() estimator { return newLogistic() })
	c.choose = correct
	c.explore.bind(s, 0.1, 0.999, 0.01)
	return c
}

func newBandit(s *sched.Settings) sched.Policy {
	c := newCorrector(s, "bandit", "Thompson sampling over here and the peers drawn",
		func() estimator { return newLogistic() })
	c.choose = sample
	return c
}

func newResidualPolicy(s *sched.Settings) sched.Policy {
	alpha := new(float64)
	c := newCorrector(s, "residual", "chances of being on time are corrected by what rewards were above or below them, in tile coding",
		func() estimator { return newResidual(*alpha) })
	s.Float(alpha, "alpha", 0.05, 0, 1, "step size")
	c.choose = correct
	c.explore.bind(s, 0.1, 0.999, 0.01)
	return c
}

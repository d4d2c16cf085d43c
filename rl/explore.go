package rl

import (
	"math/rand/v2"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Exploration is the share of decisions that are made to find out rather than for
// the best: Start at first, multiplied by Decay at each, down to Least.
type Exploration struct {
	Start, Decay, Least float64
	epsilon             float64
	begun               bool
	held                int // decisions until it decays again
}

const (
	// restoredEpsilon and restoredFor are how much and how long is explored with
	// what was learned in an earlier life: the mesh may have changed since.
	restoredEpsilon = 0.05
	restoredFor     = 200
	// resumedEpsilon is what is explored after a fallback.
	resumedEpsilon = 0.01
)

func (e *Exploration) bind(s *sched.Settings, start, decay, least float64) {
	s.Float(&e.Start, "epsilon", start, 0, 1, "share of decisions that explore, at first")
	s.Float(&e.Decay, "epsilon-decay", decay, 0, 1, "what that share is multiplied by at each decision")
	s.Float(&e.Least, "epsilon-min", least, 0, 1, "what that share does not fall below")
}

// Epsilon is the present share.
func (e *Exploration) Epsilon() float64 {
	if !e.begun {
		return max(e.Start, e.Least)
	}
	return e.epsilon
}

// explores tells whether this decision explores, and decays.
func (e *Exploration) explores(rng *rand.Rand) bool {
	epsilon := e.Epsilon()
	if e.held > 0 {
		e.held--
	} else {
		e.set(max(e.Least, epsilon*e.Decay))
	}
	return epsilon > 0 && rng.Float64() < epsilon
}

func (e *Exploration) set(epsilon float64) { e.epsilon, e.begun = epsilon, true }

// revive explores at least that much again.
func (e *Exploration) revive(epsilon float64) { e.set(max(e.Epsilon(), epsilon)) }

// resume goes on after a fallback, carefully.
func (e *Exploration) resume() { e.set(max(e.Least, min(e.Epsilon(), resumedEpsilon))) }

// restored begins with what was learned earlier.
func (e *Exploration) restored() {
	e.set(max(e.Least, restoredEpsilon))
	e.held = restoredFor
}

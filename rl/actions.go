package rl

import (
	"math/bits"
	"math/rand/v2"
)

// MaxActions bounds the actions of an [Agent].
const MaxActions = 64

// Actions is a set of actions, which are numbered from 0: bit i for action i.
type Actions uint64

// AllActions are those from 0 to n-1.
func AllActions(n int) Actions {
	if n >= MaxActions {
		return ^Actions(0)
	}
	return 1<<n - 1
}

// Has tells whether the set has the action.
func (a Actions) Has(action int) bool { return a>>action&1 == 1 }

// first is the lowest one.
func (a Actions) first() int { return bits.TrailingZeros64(uint64(a)) }

// any draws one.
func (a Actions) any(rng *rand.Rand) int {
	for skip := rng.IntN(bits.OnesCount64(uint64(a))); skip > 0; skip-- {
		a &= a - 1
	}
	return a.first()
}

// best is the one of the highest value; of equals usual, else the lowest.
func (a Actions) best(usual int, value func(action int) float64) int {
	best := a.orFirst(usual)
	highest := value(best)
	for ; a != 0; a &= a - 1 {
		if q := value(a.first()); q > highest {
			best, highest = a.first(), q
		}
	}
	return best
}

// orFirst is that action if the set has it, else the lowest one.
func (a Actions) orFirst(action int) int {
	if a.Has(action) {
		return action
	}
	return a.first()
}

package rl

import (
	"encoding/json"
	"math/rand/v2"
)

// estimator corrects the default's chances of one function.
type estimator interface {
	// correction is what is to be added to a place's prior chance: 0 as long as
	// nothing is known.
	correction(p *place) float64
	// sample draws a chance from what is believed.
	sample(p *place, rng *rand.Rand) float64
	// learn takes in the reward that a place gave, and returns by how much it was
	// more than predicted.
	learn(p *place, reward float64) (err float64)
	// revive has it learn faster again, as things have changed.
	revive()
	// blend has a fresh one know what all of those know, by evidence.
	blend(all []estimator)
	// features names what is learned, and from what: a snapshot of other ones is foreign.
	features() string
	shared
	json.Marshaler
	json.Unmarshaler
}

// model is all that is kept for one function.
type model struct {
	estimator estimator
	change    change
	sizes     sizes
	decisions int
	outcomes  uint64
}

// mostFunctions bounds the functions that have a model.
const mostFunctions = 256

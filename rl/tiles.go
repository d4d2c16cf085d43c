package rl

import "math"

// tiles is a linear function of a state in tile coding: several grids over the
// state space, each shifted against the others, and one weight for each tile that a
// state lies in. Sutton and Barto, "Reinforcement Learning" (2nd edition, 2018),
// section 9.5.4; the shifts are the odd numbers advised there.
//
// Tiles are found by a hash, so that any number of dimensions will do; tiles that
// fall together share a weight, which is rare while few of them are in use.
type tiles struct {
	tilings int
	width   []float64 // of a tile in each dimension; the last one holds for all further
	weights []float64
	visits  []uint16 // how often each weight was moved, up to mostVisits
	active  []uint32 // of the latest state
}

const (
	// tileWeights is how many weights there are, a power of 2.
	tileWeights = 1 << 13
	// mostVisits is where counting ends: of what was longer ago nothing is left.
	mostVisits = 1000
)

func newTiles(tilings int, width ...float64) *tiles {
	return &tiles{tilings: tilings, width: width, weights: make([]float64, tileWeights), visits: make([]uint16, tileWeights)}
}

// activate finds the tiles of a state and an action, or whatever else salt is.
// The slice is the tiles' own, until the next call.
func (t *tiles) activate(state []float64, salt uint64) []uint32 {
	t.active = t.active[:0]
	for tiling := range t.tilings {
		h := mix(salt ^ uint64(tiling)<<56)
		for i, x := range state {
			shift := float64(tiling*(2*i+1)%t.tilings) / float64(t.tilings)
			tile := math.Floor(x/t.width[min(i, len(t.width)-1)] + shift)
			h = mix(h ^ uint64(int64(tile)))
		}
		t.active = append(t.active, uint32(h&(tileWeights-1)))
	}
	return t.active
}

// sum is the value of active tiles.
func (t *tiles) sum(active []uint32) float64 {
	var sum float64
	for _, i := range active {
		sum += t.weights[i]
	}
	return sum
}

// add moves the value of active tiles by step.
func (t *tiles) add(active []uint32, step float64) {
	step /= float64(len(active))
	for _, i := range active {
		t.weights[i] += step
		t.visits[i] = min(t.visits[i]+1, mostVisits)
	}
}

// mix is the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hash is FNV-1a.
func hash[T ~string](text T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

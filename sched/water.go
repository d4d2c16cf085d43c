package sched

import (
	"math"
	"math/rand/v2"
)

// vessel is a peer as water-filling sees it: it begins to fill at floor
// (seconds) and takes width (invocations per second) of water for each second
// that the level is above its floor.
type vessel struct{ floor, width float64 }

// waterLevel returns the level at which the vessels hold mass in all: the h of
// sum of width (h - floor)+ = mass. At least one vessel, widths and mass above 0.
//
// It starts from the level as if every vessel took water, and leaves out those
// that lie dry until none does: Michelot's way to project on a simplex, "A finite
// algorithm for finding the projection of a point onto the canonical simplex"
// (JOTA 50, 1986). A few passes, no sorting. Heights are counted from the lowest floor,
// so that a vessel far up costs no precision.
func waterLevel(vessels []vessel, mass float64) float64 {
	lowest := vessels[lowestFloor(vessels)].floor
	level := math.Inf(1)
	for {
		var width, volume float64
		for i := range vessels {
			if height := vessels[i].floor - lowest; height < level {
				width += vessels[i].width
				volume += vessels[i].width * height
			}
		}
		next := (mass + volume) / width
		if !(next < level) {
			return lowest + level
		}
		level = next
	}
}

// drawWater picks a vessel with a probability proportional to the water in it
// when mass was poured in. Drawing instead of taking the lowest is what keeps
// nodes with the same old news from all choosing the same peer.
func drawWater(vessels []vessel, mass float64, rng *rand.Rand) int {
	return drawAt(vessels, waterLevel(vessels, mass), mass, rng)
}

// drawAt is drawWater where the level is known already.
func drawAt(vessels []vessel, level, mass float64, rng *rand.Rand) int {
	left := mass * rng.Float64()
	drawn := lowestFloor(vessels)
	for i := range vessels {
		depth := level - vessels[i].floor
		if depth <= 0 {
			continue
		}
		drawn = i
		if left -= vessels[i].width * depth; left < 0 {
			break
		}
	}
	return drawn
}

func lowestFloor(vessels []vessel) int {
	lowest := 0
	for i := range vessels {
		if vessels[i].floor < vessels[lowest].floor {
			lowest = i
		}
	}
	return lowest
}

package sched

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func vesselsOf(t *rapid.T) []vessel {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) vessel {
		return vessel{
			floor: rapid.OneOf(rapid.Float64Range(-2, 20), rapid.Just(1.0)).Draw(t, "floor"),
			width: rapid.Float64Range(0.01, 1000).Draw(t, "width"),
		}
	}), 1, 64).Draw(t, "vessels")
}

func waterIn(vessels []vessel, level float64) float64 {
	var sum float64
	for _, v := range vessels {
		sum += v.width * max(0, level-v.floor)
	}
	return sum
}

// A level can only be as exact as its last bit, which the widths magnify.
func tolerance(vessels []vessel, level, mass float64) float64 {
	var width float64
	for _, v := range vessels {
		width += v.width
	}
	return 1e-9*mass + 1e-14*width*(math.Abs(level)+20)
}

func TestWaterLevelKeepsMass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vessels, mass := vesselsOf(t), rapid.Float64Range(0.01, 1000).Draw(t, "mass")
		level := waterLevel(vessels, mass)
		if in := waterIn(vessels, level); math.Abs(in-mass) > tolerance(vessels, level, mass) {
			t.Fatalf("level %v holds %v, poured in %v", level, in, mass)
		}
		if level <= vessels[lowestFloor(vessels)].floor {
			t.Fatalf("level %v leaves all dry", level)
		}
	})
}

func TestWaterLevelAgainstBisection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vessels, mass := vesselsOf(t), rapid.Float64Range(0.01, 1000).Draw(t, "mass")
		low := vessels[lowestFloor(vessels)].floor
		high := low + mass/0.01
		for range 200 {
			if middle := (low + high) / 2; waterIn(vessels, middle) < mass {
				low = middle
			} else {
				high = middle
			}
		}
		if level := waterLevel(vessels, mass); math.Abs(level-low) > 1e-9*(1+math.Abs(low)) {
			t.Fatalf("level %v, by bisection %v", level, low)
		}
	})
}

func TestWaterLevelCases(t *testing.T) {
	cases := []struct {
		name    string
		vessels []vessel
		mass    float64
		want    float64
	}{
		{"one", []vessel{{floor: 2, width: 4}}, 1, 2.25},
		{"second stays dry", []vessel{{floor: 0, width: 1}, {floor: 5, width: 1}}, 3, 3},
		{"second just wet", []vessel{{floor: 0, width: 1}, {floor: 5, width: 1}}, 7, 6},
		{"floor below zero", []vessel{{floor: -3, width: 1}, {floor: 0, width: 1}}, 1, -2},
		{"equal", []vessel{{floor: 1, width: 1}, {floor: 1, width: 3}}, 2, 1.5},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := waterLevel(c.vessels, c.mass); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("level %v, want %v", got, c.want)
			}
		})
	}
}

// Whatever the numbers, a vessel is drawn that has water or the lowest floor.
func TestDrawWaterTakesOnlyWet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vessels, mass := vesselsOf(t), rapid.Float64Range(0.01, 1000).Draw(t, "mass")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		level := waterLevel(vessels, mass)
		for range 20 {
			if i := drawWater(vessels, mass, rng); vessels[i].floor >= level && i != lowestFloor(vessels) {
				t.Fatalf("drew vessel %d, floor %v, at level %v", i, vessels[i].floor, level)
			}
		}
	})
}

// TestDrawWaterShares draws often and compares the shares with the water.
func TestDrawWaterShares(t *testing.T) {
	vessels := []vessel{{0.1, 10}, {0.2, 10}, {0.1, 30}, {9, 10}, {-0.1, 5}}
	const mass, draws = 8, 100_000
	level := waterLevel(vessels, mass)
	rng := rand.New(rand.NewPCG(7, 11))
	counts := make([]int, len(vessels))
	for range draws {
		counts[drawWater(vessels, mass, rng)]++
	}
	for i, v := range vessels {
		share := v.width * max(0, level-v.floor) / mass
		sd := math.Sqrt(share * (1 - share) / draws)
		if got := float64(counts[i]) / draws; math.Abs(got-share) > 5*sd {
			t.Errorf("vessel %d drawn %.4f of the time, holds %.4f of the water (sd %.4f)", i, got, share, sd)
		}
	}
}

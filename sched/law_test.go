package sched

import (
	"math"
	"testing"
)

func TestLaw(t *testing.T) {
	cases := []struct {
		name       string
		law        law
		wait, left float64
		want       float64
	}{
		{"fixed, enough time", law{0.1, 0}, 0, 0.1, 1},
		{"fixed, too little", law{0.1, 0}, 0, 0.099, 0},
		{"memoryless", law{0.1, 1}, 0, 0.2, 1 - math.Exp(-2)},
		{"half fixed, before the fixed part", law{0.1, 0.5}, 0, 0.049, 0},
		{"half fixed", law{0.1, 0.5}, 0, 0.1, 1 - math.Exp(-1)},
		{"no time", law{0.1, 1}, 0, -1, 0},
		{"a wait as long as what is left", law{0.1, 1}, 0.1, 0.2, 0.5},
		{"fixed after a wait", law{0.1, 0}, 0.1, 0.2, 1},
		{"fixed after too long a wait", law{0.1, 0}, 0.11, 0.2, 0},
		// over = .2, sd = sqrt(.1 x .4) = .2: one deviation.
		{"one deviation to spare", law{0.1, 1}, 0.3, 0.6, 0.8413447},
		{"one too few", law{0.1, 1}, 0.3, 0.2, 0.1586553},
		{"instant", law{0, 1}, 0, 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.law.after(c.wait, c.left); math.Abs(got-c.want) > 1e-6 {
				t.Errorf("chance %v, want %v", got, c.want)
			}
		})
	}
}

func TestLawOf(t *testing.T) {
	for _, spread := range []float64{math.NaN(), math.Inf(1), -1, 7} {
		if l := lawOf(0.1, spread); l.spread != 1 {
			t.Errorf("spread %v is read as %v, want 1", spread, l.spread)
		}
	}
}

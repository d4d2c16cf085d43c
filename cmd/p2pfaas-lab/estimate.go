package main

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is that of the intervals.
const confidence = 0.95

// estimate is a mean over runs, with half the width of its confidence interval
// by Student's t; that is NaN for a single run.
type estimate struct {
	mean, half float64
	runs       int
}

func estimateOf(values []float64) estimate {
	e := estimate{mean: stat.Mean(values, nil), half: math.NaN(), runs: len(values)}
	if len(values) > 1 {
		t := distuv.StudentsT{Sigma: 1, Nu: float64(len(values) - 1)}.Quantile(0.5 + confidence/2)
		e.half = t * stat.StdDev(values, nil) / math.Sqrt(float64(len(values)))
	}
	return e
}

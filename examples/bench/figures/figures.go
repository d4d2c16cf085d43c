// Package figures makes few numbers of many: what each path did in each cell and
// repetition becomes a median, and a ratio to another path.
//
// A ratio is taken inside one repetition, where both paths were measured within
// seconds of each other, and only then is the median taken over the repetitions:
// what else the machine does moves both alike.
package figures

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
)

// Cell is what is asked of a path.
type Cell struct {
	Body     int           `json:"body"`
	AtOnce   int           `json:"at_once"`
	Distance time.Duration `json:"distance_ns"` // added to the round trip
}

// Record is one path in one cell, in one repetition.
type Record struct {
	Path string `json:"path"`
	Cell
	Repetition int `json:"repetition"`
	cell.Result
}

// Records are all of a run.
type Records []Record

// Measure is something that a cell is judged by.
type Measure string

// The measures. Rate is better when it is more, the others when they are less.
const (
	P50    Measure = "p50"
	P99    Measure = "p99"
	Rate   Measure = "req/s"
	CPU    Measure = "CPU"
	Allocs Measure = "allocations"
)

// Of reads the measure, in seconds, calls per second or objects; NaN if it is
// not known.
func (m Measure) Of(r cell.Result) float64 {
	if r.Calls == 0 {
		return math.NaN()
	}
	switch m {
	case P50:
		return r.P50.Seconds()
	case P99:
		return r.P99.Seconds()
	case Rate:
		return r.Rate
	case CPU:
		return (r.ClientCPU + r.HopCPU).Seconds()
	case Allocs:
		if r.HopObjs < 0 {
			return math.NaN()
		}
		return r.ClientObjs + r.HopObjs
	}
	panic(fmt.Sprintf("no measure %q", string(m)))
}

// Spread is a median with its quartiles.
type Spread struct {
	Low, Median, High float64
	N                 int
}

// Known tells whether there is anything to be said.
func (s Spread) Known() bool { return s.N > 0 }

// SpreadOf sorts numbers; those that are not numbers do not count.
func SpreadOf(values []float64) Spread {
	v := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(v) == 0 {
		return Spread{}
	}
	slices.Sort(v)
	return Spread{Low: quantile(v, .25), Median: quantile(v, .5), High: quantile(v, .75), N: len(v)}
}

// quantile of sorted values, interpolated.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 == len(v) {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// Value is the spread of a measure of one path in a cell.
func (rs Records) Value(m Measure, path string, c Cell) Spread {
	var values []float64
	for _, r := range rs {
		if r.Path == path && r.Cell == c {
			values = append(values, m.Of(r.Result))
		}
	}
	return SpreadOf(values)
}

// Ratio is the spread of a path's measure divided by another's in the same
// repetition.
func (rs Records) Ratio(m Measure, path, base string, c Cell) Spread {
	bases := map[int]float64{}
	for _, r := range rs {
		if r.Path == base && r.Cell == c {
			bases[r.Repetition] = m.Of(r.Result)
		}
	}
	var values []float64
	for _, r := range rs {
		if b, ok := bases[r.Repetition]; ok && r.Path == path && r.Cell == c {
			values = append(values, m.Of(r.Result)/b)
		}
	}
	return SpreadOf(values)
}

// Lost is how many calls of a path gave no whole answer in a cell, how many did,
// and what the first said.
func (rs Records) Lost(path string, c Cell) (lost, calls int, loss string) {
	for _, r := range rs {
		if r.Path == path && r.Cell == c {
			lost += r.Lost
			calls += r.Calls
			if loss == "" {
				loss = r.Loss
			}
		}
	}
	return lost, calls, loss
}

// Cells lists the cells that were measured, in the order in which they were.
func (rs Records) Cells() []Cell {
	var cells []Cell
	for _, r := range rs {
		if !slices.Contains(cells, r.Cell) {
			cells = append(cells, r.Cell)
		}
	}
	return cells
}

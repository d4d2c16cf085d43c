// Package goals says what the product must reach and what it aims for, as
// ratios to others in the same run, and judges a run by that.
package goals

import (
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
)

// Goal is one thing to reach in one cell.
type Goal struct {
	Cell    figures.Cell
	Measure figures.Measure
	Path    string
	Against string // the path it is a ratio to; "": the measure itself
	Must    float64
	Aim     float64
}

// away is the distance at which the goals for far nodes are set.
const away = 20 * time.Millisecond

const (
	kb = 1 << 10
	mb = 1 << 20
)

func near(body, atOnce int) figures.Cell { return figures.Cell{Body: body, AtOnce: atOnce} }

func far(body, atOnce int) figures.Cell {
	return figures.Cell{Body: body, AtOnce: atOnce, Distance: away}
}

// All are the goals, in the order in which they are shown. Times are in seconds.
func All() []Goal {
	return []Goal{
		{near(kb, 1), figures.P50, "sdk", "proxy", .85, .70},
		{near(kb, 1), figures.CPU, "sdk", "grpc", .60, .42},
		{near(kb, 8), figures.CPU, "sdk", "grpc", .60, .42},
		{near(kb, 64), figures.CPU, "sdk", "grpc", .60, .42},
		{near(kb, 64), figures.CPU, "sdk", "proxy", .55, .38},
		{near(kb, 64), figures.Rate, "sdk", "proxy", 1.6, 2.15},
		{near(kb, 64), figures.Rate, "sdk", "grpc", 1.6, 2.1},
		{near(kb, 64), figures.Rate, "sdk", "nats", 1.4, 1.8},
		{near(mb, 1), figures.P50, "sdk", "proxy-tls", 1.15, 1.05},
		{near(kb, 1), figures.P50, "bridge", "two-proxies", .90, .80},
		{near(kb, 8), figures.P50, "bridge", "two-proxies", .80, .70},
		{near(kb, 64), figures.P50, "bridge", "two-proxies", .75, .60},
		{near(64*kb, 8), figures.P50, "bridge", "proxy+proxy-tls", 1.0, .85},
		{near(mb, 1), figures.P50, "bridge", "proxy+proxy-tls", 1.2, 1.1},
		{far(kb, 1), figures.P50, "sdk", "", (away + 3*time.Millisecond).Seconds(), (away + 2*time.Millisecond).Seconds()},
		{far(mb, 1), figures.P50, "sdk", "proxy", 1.3, 1.2},
		{near(kb, 64), figures.Allocs, "sdk", "", 40, 12},
	}
}

// Grade is how far a goal was reached.
type Grade string

// The grades.
const (
	Aim        Grade = "aim"
	Must       Grade = "must"
	Missed     Grade = "MISSED"
	Unmeasured Grade = "not measured"
)

// Verdict is what became of a goal.
type Verdict struct {
	Goal
	Got   figures.Spread
	Grade Grade
}

// Judge holds a run against the goals.
func Judge(rs figures.Records, all []Goal) []Verdict {
	verdicts := make([]Verdict, 0, len(all))
	for _, g := range all {
		got := g.got(rs)
		verdicts = append(verdicts, Verdict{g, got, g.grade(got)})
	}
	return verdicts
}

func (g Goal) got(rs figures.Records) figures.Spread {
	if g.Against == "" {
		return rs.Value(g.Measure, g.Path, g.Cell)
	}
	return rs.Ratio(g.Measure, g.Path, g.Against, g.Cell)
}

// grade goes by the median.
func (g Goal) grade(got figures.Spread) Grade {
	switch {
	case !got.Known():
		return Unmeasured
	case g.reaches(got.Median, g.Aim):
		return Aim
	case g.reaches(got.Median, g.Must):
		return Must
	default:
		return Missed
	}
}

func (g Goal) reaches(value, bound float64) bool {
	if g.Measure == figures.Rate {
		return value >= bound
	}
	return value <= bound
}

// String says what is measured.
func (g Goal) String() string {
	if g.Against == "" {
		return fmt.Sprintf("%s, %s", g.Path, g.Measure)
	}
	return fmt.Sprintf("%s / %s, %s", g.Path, g.Against, g.Measure)
}

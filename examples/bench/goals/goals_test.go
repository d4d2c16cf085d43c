package goals_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/goals"
)

func TestJudge(t *testing.T) {
	at := figures.Cell{Body: 1 << 10, AtOnce: 1}
	records := func(p50 time.Duration, rate float64) figures.Records {
		return figures.Records{
			{Path: "sdk", Cell: at, Result: cell.Result{Calls: 1, P50: p50, Rate: rate}},
			{Path: "proxy", Cell: at, Result: cell.Result{Calls: 1, P50: time.Second, Rate: 100}},
		}
	}
	less := goals.Goal{Cell: at, Measure: figures.P50, Path: "sdk", Against: "proxy", Must: .8, Aim: .5}
	more := goals.Goal{Cell: at, Measure: figures.Rate, Path: "sdk", Against: "proxy", Must: 1.5, Aim: 2}
	itself := goals.Goal{Cell: at, Measure: figures.P50, Path: "sdk", Must: .8, Aim: .5}
	other := goals.Goal{Cell: at, Measure: figures.P50, Path: "sdk", Against: "nats", Must: .8, Aim: .5}
	for name, c := range map[string]struct {
		goal goals.Goal
		p50  time.Duration
		rate float64
		want goals.Grade
	}{
		"less, aim":      {less, 500 * time.Millisecond, 1, goals.Aim},
		"less, must":     {less, 800 * time.Millisecond, 1, goals.Must},
		"less, missed":   {less, 801 * time.Millisecond, 1, goals.Missed},
		"more, aim":      {more, 1, 200, goals.Aim},
		"more, must":     {more, 1, 150, goals.Must},
		"more, missed":   {more, 1, 149, goals.Missed},
		"itself, must":   {itself, 600 * time.Millisecond, 1, goals.Must},
		"without rivals": {other, 1, 1, goals.Unmeasured},
	} {
		got := goals.Judge(records(c.p50, c.rate), []goals.Goal{c.goal})
		if got[0].Grade != c.want {
			t.Errorf("%s: %s, want %s", name, got[0].Grade, c.want)
		}
	}
}

// An aim is never easier than what must be reached.
func TestAimsLieBeyondMusts(t *testing.T) {
	for _, g := range goals.All() {
		if beyond := g.Aim < g.Must; beyond == (g.Measure == figures.Rate) {
			t.Errorf("%s: aim %v, must %v", g, g.Aim, g.Must)
		}
	}
}

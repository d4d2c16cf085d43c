package sim_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// TestStalls: where calls stall, those of little luck take so much longer, and no others.
func TestStalls(t *testing.T) {
	const share, stall, service = 0.3, time.Second, 100 * time.Millisecond
	sc := alike(2, 8, 100, 0.1, 60*time.Second)
	sc.Warmup, sc.Classes[0].Distribution = 0, sim.Fixed
	sc.Events = []sim.Event{{Nodes: []int{1}, Stalls: share, Stall: stall}}
	arrivals, err := sim.Arrivals(sc, 5)
	if err != nil {
		t.Fatal(err)
	}
	type call struct {
		at   time.Duration
		node int
	}
	want := make(map[call]time.Duration)
	stalled := [2]int{}
	for a := range arrivals {
		want[call{a.At, a.Node}] = service
		if a.Node == 1 && a.Luck < share {
			want[call{a.At, a.Node}] = service + stall
			stalled[1]++
		} else if a.Node == 1 {
			stalled[0]++
		}
	}
	if got := float64(stalled[1]) / float64(stalled[0]+stalled[1]); got < share-0.08 || got > share+0.08 {
		t.Errorf("%.3f of %d calls have little luck, want %v", got, len(want), share)
	}
	seen := 0
	run(t, sc, sim.Options{Policy: "local", Seed: 5, Record: func(r sim.Record) {
		if c := (call{r.Entered, r.Origin}); r.Service != want[c] {
			t.Errorf("%+v ran for %v, want %v", c, r.Service, want[c])
		}
		seen++
	}})
	if seen != len(want) {
		t.Errorf("%d of %d ran", seen, len(want))
	}
}

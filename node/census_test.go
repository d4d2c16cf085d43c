package node

import (
	"math"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// TestCensus: what runs and waits is told apart by task type, whatever a client
// makes of that number.
func TestCensus(t *testing.T) {
	s := newSlots(slotsConfig{servers: 2, maxOpen: 100, queue: sched.QueueConfig{MaxCount: 10}}, sinceStart())
	needs := func(kind float64) need {
		return need{weight: 1, of: &invocation{Request: invoke.Request{TaskType: kind}}}
	}
	var slots []*slot
	for _, kind := range []float64{1, math.NaN()} {
		g, err := s.acquire(t.Context(), needs(kind))
		if err != nil {
			t.Fatal(err)
		}
		slots = append(slots, g)
	}
	waiting := make(chan *slot, 3)
	for _, kind := range []float64{1, 2, math.Inf(1)} {
		go func() {
			g, _ := s.acquire(t.Context(), needs(kind))
			waiting <- g
		}()
	}
	eventually(t, "three wait", func() bool { return s.load().Queued == 3 })
	for kind, want := range map[float64][2]int{0: {0, 0}, 1: {1, 1}, 2: {0, 1}, 17: {0, 0}, 0.5: {0, 0}} {
		if running, queued := (line{s}).Count(kind); running != want[0] || queued != want[1] {
			t.Errorf("of type %v %d run and %d wait, want %v", kind, running, queued, want)
		}
	}
	for range 3 {
		slots[0].release()
		slots = append(slots[1:], <-waiting)
	}
	for _, g := range slots {
		g.release()
	}
	if s.kinds != (kinds{}) {
		t.Errorf("in the end %v", s.kinds)
	}
}

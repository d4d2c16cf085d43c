package node

import (
	"slices"
	"testing"
	"time"
)

func TestPacer(t *testing.T) {
	for _, c := range []struct {
		name   string
		pauses []time.Duration // between collections
		set    []int
	}{
		{"at rest", []time.Duration{time.Minute, 2 * time.Minute, time.Second}, nil},
		{"busy, once", []time.Duration{time.Minute, 100 * time.Millisecond, 400 * time.Millisecond}, []int{growthBusy}},
		{"as busy, with more room", []time.Duration{busyWithin - 1, 4 * (busyWithin - 1), restAfter}, []int{growthBusy}},
		{"at rest again", []time.Duration{time.Millisecond, restAfter + 1, time.Second}, []int{growthBusy, growthAtRest}},
		{"busy again", []time.Duration{0, time.Minute, 0}, []int{growthBusy, growthAtRest, growthBusy}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var set []int
			now := time.Now()
			p := &pacer{last: now, set: func(percent int) { set = append(set, percent) }}
			for _, pause := range c.pauses {
				now = now.Add(pause)
				p.collected(now)
			}
			if !slices.Equal(set, c.set) {
				t.Errorf("set %v, want %v", set, c.set)
			}
		})
	}
}

// A busy process, such as this loop, is told so by its own collections.
func TestPacerIsToldOfCollections(t *testing.T) {
	set := make(chan int, 1)
	p := &pacer{last: time.Now(), set: func(percent int) {
		select {
		case set <- percent:
		default:
		}
	}}
	p.await()
	var kept []byte
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); kept = make([]byte, 1<<20) {
		select {
		case percent := <-set:
			if percent != growthBusy {
				t.Errorf("set to %d, want %d", percent, growthBusy)
			}
			return
		default:
		}
	}
	t.Fatal("30 s of garbage, and nothing was told", len(kept))
}

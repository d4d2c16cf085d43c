package host

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	start := time.Unix(0, 0)
	p := newPace(start)
	if p.due.Sub(start) < quietGap/2 {
		t.Fatalf("without news the first round is due after %v", p.due.Sub(start))
	}
	p.news(start, p.gap)
	if got := p.due.Sub(start); got != settle {
		t.Fatalf("after news: %v, want %v", got, settle)
	}
	now := p.due
	for _, want := range []time.Duration{firstGap, 2 * firstGap, 4 * firstGap, 8 * firstGap, lastGap, lastGap} {
		p.round(now)
		p.news(now.Add(time.Millisecond), p.gap)
		if got := p.due.Sub(now); got < want || got > want+settle {
			t.Fatalf("while news go on: next round after %v, want %v", got, want)
		}
		now = p.due
	}
	p.round(now) // after news: once more
	if got := p.due.Sub(now); got != lastGap {
		t.Fatalf("the last round follows after %v, want %v", got, lastGap)
	}
	now = p.due
	p.round(now)
	if got := p.due.Sub(now); got < quietGap*4/5 || got > quietGap*6/5 {
		t.Fatalf("quiet: next round after %v", got)
	}
	p.news(now.Add(10*time.Second), p.gap)
	if got := p.due.Sub(now); got != 10*time.Second+settle {
		t.Fatalf("news in quiet times: next round after %v", got)
	}
}

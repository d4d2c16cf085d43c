package mesh

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

func crowd(b testing.TB) *fixture {
	f := newFixture(b, 64)
	for i := range 64 {
		f.join(peer.ID(fmt.Sprintf("%034d", i)), fn("resize", 1), fn("thumb", 1))
	}
	return f
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	f := crowd(t)
	var dst []sched.Neighbour
	var news load.News
	p := peer.ID(fmt.Sprintf("%034d", 7))
	for name, do := range map[string]func(){
		"fill":   func() { dst = f.Fill(dst, "resize", [8]byte{1}) },
		"source": func() { f.clock.add(ms); f.Source().Fill(&news) },
		"hear":   func() { news.Sender.Counter += 1000; f.Hear(p, &news) },
		"send":   func() { f.Sent(p, "fn", time.Second); f.Done(p, Done{}) },
	} {
		do()
		if n := testing.AllocsPerRun(100, do); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	if len(dst) != 64 {
		t.Fatalf("%d candidates, want 64", len(dst))
	}
}

func BenchmarkFill64(b *testing.B) {
	f := crowd(b)
	var dst []sched.Neighbour
	b.ReportAllocs()
	for b.Loop() {
		dst = f.Fill(dst, "resize", [8]byte{1})
	}
}

func BenchmarkSource(b *testing.B) {
	f := crowd(b)
	var news load.News
	b.ReportAllocs()
	for b.Loop() {
		f.Source().Fill(&news)
	}
}

func BenchmarkHear(b *testing.B) {
	f := crowd(b)
	var news load.News
	f.Source().Fill(&news)
	p := peer.ID(fmt.Sprintf("%034d", 7))
	b.ReportAllocs()
	for b.Loop() {
		news.Sender.Counter++
		f.Hear(p, &news)
	}
}

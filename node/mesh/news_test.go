package mesh

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestOldNewsEndsCandidacy(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p", fn("resize", 1))
	f.clock.add(10 * time.Second)
	if len(f.ids("resize", [8]byte{})) != 1 {
		t.Fatal("no candidate 10 s after its last report")
	}
	f.clock.add(ms)
	if len(f.ids("resize", [8]byte{})) != 0 {
		t.Fatal("still a candidate after more than 10 s of silence")
	}
	// A source that reports every 20 s by the topic is given three times that.
	for range 20 {
		f.clock.add(20 * time.Second)
		f.hearTopic("p", &f.news("p", load.Report{Servers: 4, Functions: 9}).Sender)
	}
	f.clock.add(50 * time.Second)
	if len(f.ids("resize", [8]byte{})) != 1 {
		t.Fatalf("no candidate after 50 s, although it reports every %v", n.period)
	}
}

func TestOlderReportsAreIgnored(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p", fn("resize", 1))
	first := f.news("p", load.Report{Wait: ms, Servers: 4})
	second := f.news("p", load.Report{Wait: 2 * ms, Servers: 4})
	f.Hear("p", second)
	f.clock.add(time.Second)
	f.Hear("p", first)  // overtaken
	f.Hear("p", second) // twice
	if n.load.Wait != 2*ms || n.sampled != f.now()-time.Second {
		t.Fatalf("believed %v of %v ago, want 2 ms of 1 s ago", n.load.Wait, f.now()-n.sampled)
	}
}

func TestThirdParties(t *testing.T) {
	f := newFixture(t, 0)
	p, by := f.join("p", fn("resize", 1)), f.join("by")
	entry := func(r load.Report) {
		r.Incarnation = max(1, r.Incarnation)
		f.Hear("by", &load.News{Others: []load.Entry{{Peer: load.KeyOf("p"), Report: r}}})
	}
	f.clock.add(2 * time.Second)
	heard := p.heard
	entry(load.Report{Counter: 50, Wait: 30 * ms, Servers: 4, Age: 500 * ms, Draining: true, Functions: 77})
	if p.load.Wait != 30*ms || p.sampled != f.now()-500*ms {
		t.Fatalf("fresher hearsay is not believed: %v of %v ago", p.load.Wait, f.now()-p.sampled)
	}
	if p.heard != heard || p.told.Draining || p.functionsStale() {
		t.Error("hearsay prolonged a life, or spoke for the node")
	}
	entry(load.Report{Counter: 51, Wait: 40 * ms, Age: time.Second})
	entry(load.Report{Counter: 1, Wait: 41 * ms})
	entry(load.Report{Counter: 60, Wait: 42 * ms, Incarnation: 2})
	if p.load.Wait != 30*ms {
		t.Fatalf("older hearsay, hearsay older than direct news or of another life is believed: %v", p.load.Wait)
	}
	f.clock.add(ms)
	f.says("p", load.Report{Wait: 5 * ms, Servers: 4, Functions: 9}) // its counter is far below the made-up one
	if p.load.Wait != 5*ms {
		t.Fatal("a made-up counter bars the node's own reports")
	}
	f.clock.add(ms)
	by.honesty = 0.4
	entry(load.Report{Counter: 70, Wait: 43 * ms, Servers: 4})
	if p.load.Wait != 5*ms {
		t.Fatal("one who misleads is believed about others")
	}
	f.clock.add(20 * time.Second)
	by.honesty = 1
	entry(load.Report{Counter: 80, Wait: ms, Servers: 4})
	if len(f.ids("resize", [8]byte{})) != 0 {
		t.Fatal("hearsay made a silent node a candidate")
	}
}

func TestReportsAreBounded(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p")
	f.says("p", load.Report{Wait: -1, Age: 1 << 62, Running: -5, Queued: 1 << 60, Servers: -1, Speed: -3, Rate: 1e300})
	want := sched.Load{Queued: mostCount, Speed: 0.01, Rate: mostRate}
	if diff := cmp.Diff(want, n.load); diff != "" || n.sampled < f.now()-mostAge {
		t.Fatalf("sampled %v ago, -want +got:\n%s", f.now()-n.sampled, diff)
	}
}

func TestOwnNews(t *testing.T) {
	f := newFixture(t, 0)
	f.self = sched.Load{Wait: 3 * ms, Running: 2, Servers: 4, Speed: 1}
	f.funcs = []Function{fn("a", 1)}
	f.FunctionsChanged()
	var news load.News
	f.Source().Fill(&news)
	want := load.Report{Incarnation: 1, Counter: 1, Wait: 3 * ms, Running: 2, Servers: 4, Speed: 1, Functions: digest(f.funcs)}
	if diff := cmp.Diff(want, news.Sender); diff != "" || !news.Has || len(news.Others) != 0 {
		t.Fatalf("-want +got:\n%s", diff)
	}
	for i := range 20 {
		p := peer.ID(fmt.Sprint("p", i))
		f.join(p)
		f.clock.add(ms)
	}
	f.clock.add(othersLife + ms)
	f.Source().Fill(&news)
	if news.Sender.Counter != 2 || len(news.Others) != load.MaxEntries {
		t.Fatalf("counter %d with %d entries", news.Sender.Counter, len(news.Others))
	}
	for i, e := range news.Others {
		if want := load.KeyOf(peer.ID(fmt.Sprint("p", 19-i))); e.Peer != want || e.Report.Age != time.Duration(i+1)*ms+othersLife+ms {
			t.Errorf("entry %d of age %v, want p%d", i, e.Report.Age, 19-i)
		}
	}
	f.clock.add(5 * ms) // the same choice, grown older
	f.Source().Fill(&news)
	if news.Others[0].Report.Age != 7*ms+othersLife {
		t.Errorf("age %v on a choice kept for 5 ms", news.Others[0].Report.Age)
	}
	f.clock.add(othersAge)
	if f.Source().Fill(&news); len(news.Others) != 0 {
		t.Errorf("%d entries too old to tell", len(news.Others))
	}
}

func TestDigest(t *testing.T) {
	base := []Function{fn("a", 1), fn("b", 1)}
	before := digest(base)
	for name, change := range map[string]func(f *Function){
		"fingerprint": func(f *Function) { f.Fingerprint[7]++ },
		"name":        func(f *Function) { f.Name = "c" },
		"namespace":   func(f *Function) { f.Namespace = "c" },
		"warmth":      func(f *Function) { f.Warm = !f.Warm },
		"measured":    func(f *Function) { f.Service = sched.Service{} },
		"kept home":   func(f *Function) { f.KeptHome = true },
	} {
		other := slices.Clone(base)
		change(&other[1])
		if digest(other) == before {
			t.Errorf("%s: the digest stays", name)
		}
	}
	base[0].Service.Mean *= 2
	if digest(base) != before {
		t.Error("a new measurement changes the digest")
	}
	if digest(nil) == 0 {
		t.Error("the digest of no functions is the one that means unknown")
	}
}

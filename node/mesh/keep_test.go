package mesh

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestFetchSchedule(t *testing.T) {
	f := newFixture(t, 0)
	f.Mesh.member(host.Event{Peer: "p", Joined: true})
	n := f.table.members["p"]
	due := func() bool { return n.fetchDue(f.now()) }
	if !due() {
		t.Fatal("no fetch from a newcomer")
	}
	for want := fetchGap; want < 2*fetchLongest; want *= 2 {
		f.table.fetched(n, list{}, errors.New("no"), f.now())
		if f.clock.add(min(want, fetchLongest) - ms); due() {
			t.Fatalf("due less than %v after a failure", want)
		}
		if f.clock.add(ms); !due() {
			t.Fatalf("not due %v after a failure", want)
		}
	}
	f.says("p", load.Report{Functions: 5})
	f.table.fetched(n, list{digest: 5, functions: []Function{fn("resize", 1)}}, nil, f.now())
	f.clock.add(fetchGap)
	if due() || !slices.Equal(f.Names(), []string{"resize"}) {
		t.Fatalf("due although nothing changed, or not listed: %v", f.Names())
	}
	f.says("p", load.Report{Functions: 6})
	if !due() {
		t.Fatal("not due although the digest changed")
	}
	select {
	case <-f.wake:
	default:
		t.Fatal("nobody was woken for a new digest")
	}
	f.table.fetched(n, list{digest: 6, functions: []Function{fn("thumb", 1)}}, nil, f.now())
	if !slices.Equal(f.Names(), []string{"thumb"}) {
		t.Fatalf("%v listed, want the new function alone", f.Names())
	}
	// One whose reports and lists never agree is not asked every second.
	for i := range 8 {
		f.clock.add(fetchLongest / 2)
		f.says("p", load.Report{Functions: uint64(100 + i)})
		f.table.fetched(n, list{digest: 6}, nil, f.now())
	}
	if f.clock.add(10 * time.Second); due() {
		t.Fatal("asked again and again for a list that never agrees")
	}
	if f.clock.add(fetchLongest); !due() {
		t.Fatal("never asked again")
	}
}

func TestProbeSchedule(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p")
	due := func() bool { return n.probeDue(f.now(), 10*time.Second) }
	for range firstProbes {
		if !due() {
			t.Fatal("a newcomer's first probes do not follow each other")
		}
		n.rtt.add(f.now(), ms)
		n.probed(f.now(), nil)
	}
	f.says("p", load.Report{})
	if f.clock.add(4 * time.Second); due() {
		t.Fatal("probed although heard and measured lately")
	}
	if f.clock.add(2 * time.Second); !due() {
		t.Fatal("not probed although silent")
	}
	n.probed(f.now(), errors.New("no"))
	if due() {
		t.Fatal("a failed probe is repeated at once")
	}
}

func TestUtilisation(t *testing.T) {
	f := newFixture(t, 0)
	f.self = sched.Load{Running: 4, Servers: 4}
	f.join("p")
	f.says("p", load.Report{Running: 0, Servers: 4})
	for range 100 {
		f.measure(f.now())
	}
	if u := f.Utilisation(); u < 0.49 || u > 0.51 {
		t.Fatalf("utilisation %v with half of all servers busy", u)
	}
}

package mesh

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func TestChoose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 12).Draw(t, "most")
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) applicant {
			a := applicant{rtt: time.Duration(rapid.IntRange(0, 50).Draw(t, "rtt")) * ms,
				useful: rapid.Bool().Draw(t, "useful"), neighbour: rapid.Bool().Draw(t, "neighbour")}
			a.random = a.neighbour && rapid.Bool().Draw(t, "random")
			return a
		}), 0, 40).Draw(t, "all")
		for i := range all {
			all[i].joined, all[i].entered, all[i].id = time.Duration(i), time.Duration(i), peer.ID(fmt.Sprintf("%02d", i))
		}
		swap := rapid.Bool().Draw(t, "swap")
		chosen := choose(all, most, swap, seeded())
		if len(chosen) != min(most, len(all)) {
			t.Fatalf("%d chosen of %d, want %d", len(chosen), len(all), most)
		}
		if len(all) <= most {
			return
		}
		near := slices.DeleteFunc(slices.Clone(chosen), func(a applicant) bool { return a.random })
		if len(near) != most-most/4 {
			t.Fatalf("%d of %d not by chance", len(near), most)
		}
		for _, n := range near {
			for _, other := range all[len(near):] {
				if byUse(other, n) < 0 {
					t.Fatalf("%+v is by use or distance before %+v", other, n)
				}
			}
		}
	})
}

func TestChooseKeepsNeighboursUnlessMuchNearer(t *testing.T) {
	there := applicant{id: "there", rtt: 10 * ms, neighbour: true}
	for _, c := range []struct {
		name string
		new  applicant
		want peer.ID
	}{
		{"a tenth nearer", applicant{id: "new", rtt: 9 * ms}, "there"},
		{"half as far", applicant{id: "new", rtt: 5 * ms}, "new"},
		{"at an unknown distance", applicant{id: "new"}, "there"},
		{"far but useful", applicant{id: "new", rtt: time.Second, useful: true}, "new"},
	} {
		if got := choose([]applicant{there, c.new}, 1, true, seeded())[0].id; got != c.want {
			t.Errorf("one that is %s: %s stays, want %s", c.name, got, c.want)
		}
	}
}

// One neighbour by chance is swapped at a time, and in time all members get there.
func TestChanceMovesOn(t *testing.T) {
	var tb table
	tb.init(16)
	tb.rnd = seeded()
	for i := range 60 {
		n := tb.join(peer.ID(fmt.Sprintf("%02d", i)), host.Member{}, time.Duration(i))
		n.rtt.add(0, time.Duration(i+1)*ms)
	}
	now := time.Hour
	tb.reselect(nil, true, now)
	seen := make(map[peer.ID]bool)
	for range 300 {
		before := slices.Clone(tb.view)
		now += reselectTime
		tb.reselect(nil, true, now)
		if came := len(slices.DeleteFunc(slices.Clone(tb.view), func(n *neighbour) bool { return slices.Contains(before, n) })); came != 1 {
			t.Fatalf("%d neighbours swapped, want 1", came)
		}
		for _, n := range tb.view {
			seen[n.id] = true
		}
		if near := slices.IndexFunc(tb.view, func(n *neighbour) bool { return n.byChance }); near != 12 {
			t.Fatalf("the first neighbour by chance is number %d: the 12 nearest should come before it", near)
		}
	}
	if len(seen) != 60 {
		t.Fatalf("%d of 60 members were ever in view", len(seen))
	}
	before := slices.Clone(tb.view)
	tb.leave(before[0].id)
	tb.reselect(nil, false, now)
	if left := len(slices.DeleteFunc(before, func(n *neighbour) bool { return n.inView })); left != 1 || len(tb.view) != 16 {
		t.Fatalf("a free place was given, and %d of 16 neighbours are others, want 1", left)
	}
}

func TestInvite(t *testing.T) {
	f := newFixture(t, 4)
	for i, p := range []peer.ID{"a", "b", "c", "d"} {
		f.join(p, fn("own", 1)).rtt.add(f.now(), time.Duration(i+1)*ms)
	}
	f.funcs = []Function{fn("own", 1)}
	at := func(p peer.ID) *neighbour { return f.table.members[p] }
	at("a").byChance = true
	f.table.setFunctions(at("c"), list{}) // of no use
	f.Sent("d", "fn", time.Second)
	var gone []peer.ID
	for _, p := range []peer.ID{"w", "x", "y", "z"} {
		before := slices.Clone(f.table.view)
		f.join(p)
		if at(p).inView || !f.invite(p, true) || !at(p).inView {
			t.Fatalf("%s was not let in by invitation alone", p)
		}
		for _, n := range before {
			if !n.inView {
				gone = append(gone, n.id)
			}
		}
		f.Sent(p, "fn", time.Second) // keeps it there
	}
	if want := []peer.ID{"c", "a", "b", "d"}; !slices.Equal(gone[:3], want[:3]) {
		t.Fatalf("replaced in the order %v, want %v: of no use, by chance, then the one without work of ours", gone, want[:3])
	}
	if f.join("late"); f.invite("late", false) {
		t.Fatal("let in at the cost of another though that was not necessary")
	}
}

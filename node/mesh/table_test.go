package mesh

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestFillDescribesACandidate(t *testing.T) {
	f := newFixture(t, 0)
	n := f.join("p", fn("resize", 1))
	n.rtt.add(f.now(), 10*ms)
	f.clock.add(time.Second)
	f.says("p", load.Report{Wait: 20 * ms, Running: 3, Queued: 2, Servers: 4, Speed: 1.5, Rate: 7, Out: 2, Functions: 9, Age: 100 * ms})
	got := f.Fill(nil, "resize", [8]byte{1})
	want := []sched.Neighbour{{ID: "p", Zone: "z", Arch: "arm64", RTT: 10 * ms, Health: 1, Honesty: 1,
		Load:    sched.Load{Wait: 20 * ms, Running: 3, Queued: 2, Servers: 4, Speed: 1.5, Rate: 7, Out: 2},
		Sampled: f.now() - 105*ms, Warm: true, Service: sched.Service{Mean: 50 * ms, P10: 40 * ms, Spread: 0.5}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestFillLeavesOut(t *testing.T) {
	f := newFixture(t, 0)
	home := fn("resize", 1)
	home.KeptHome = true
	other := fn("resize", 1)
	other.Namespace = "staging"
	f.join("a", fn("resize", 1), fn("thumb", 1))
	f.join("b", fn("resize", 2))
	f.join("c", home)
	f.join("d", fn("thumb", 1))
	f.join("e", other)
	f.join("f", fn("resize", 1))
	f.says("f", load.Report{Servers: 4, Functions: 9, Draining: true})
	for _, c := range []struct {
		function string
		fp       byte
		want     []peer.ID
	}{
		{"resize", 1, []peer.ID{"a"}},
		{"resize", 2, []peer.ID{"b"}},
		{"resize", 0, []peer.ID{"a", "b"}},
		{"resize", 3, nil},
		{"thumb", 0, []peer.ID{"a", "d"}},
		{"resize.staging", 0, []peer.ID{"e"}},
		{"none", 0, nil},
	} {
		if got := f.ids(c.function, [8]byte{c.fp}); !slices.Equal(got, c.want) {
			t.Errorf("%s version %d: %v, want %v", c.function, c.fp, got, c.want)
		}
	}
	if got := f.Has("resize"); !slices.Equal(got, []peer.ID{"a", "b", "f"}) {
		t.Errorf("Has: %v, want a, b and the draining f", got)
	}
	if got := f.Names(); !slices.Equal(got, []string{"resize", "resize.staging", "thumb"}) {
		t.Errorf("Names: %v", got)
	}
}

func TestMembersComeAndGo(t *testing.T) {
	f := newFixture(t, 2)
	for i, p := range []peer.ID{"a", "b", "c"} {
		f.join(p, fn("resize", 1)).rtt.add(f.now(), time.Duration(30-10*i)*ms)
	}
	f.Mesh.member(host.Event{Peer: "client", Joined: true, Member: host.Member{Role: hello.Client}})
	if got := f.ids("resize", [8]byte{}); !slices.Equal(got, []peer.ID{"a", "b"}) {
		t.Fatalf("view %v, want who came first", got)
	}
	if f.IsMember("client") || !f.IsMember("c") {
		t.Fatal("a client counts as a member, or a member beyond the view does not")
	}
	k := &keeper{m: f.Mesh, selected: f.now()}
	k.reselect(f.now())
	if got := f.ids("resize", [8]byte{}); !slices.Equal(got, []peer.ID{"a", "b"}) {
		t.Fatalf("view %v, chosen anew too soon", got)
	}
	k.reselect(f.now() + reselectTime)
	if got := f.ids("resize", [8]byte{}); !slices.Equal(got, []peer.ID{"b", "c"}) {
		t.Fatalf("view %v, want the nearest two", got)
	}
	f.Mesh.member(host.Event{Peer: "b"})
	k.reselect(f.now() + reselectTime)
	if got := f.ids("resize", [8]byte{}); !slices.Equal(got, []peer.ID{"a", "c"}) {
		t.Fatalf("view %v, want the free place taken at once", got)
	}
	f.join("a") // again, with another life: nothing of the old one stays
	if got := f.ids("resize", [8]byte{}); !slices.Equal(got, []peer.ID{"c"}) {
		t.Fatalf("view %v after a came back without the function", got)
	}
}

// Whatever comes, the view is sorted and bounded, and the index holds just what
// the view runs.
func TestTableInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tb table
		tb.init(rapid.IntRange(1, 4).Draw(t, "max"))
		ids := rapid.SampledFrom([]peer.ID{"a", "b", "c", "d", "e", "f"})
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 4) // a name twice, too
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			id := ids.Draw(t, "id")
			switch rapid.SampledFrom([]string{"join", "leave", "list", "reselect", "invite"}).Draw(t, "what") {
			case "join":
				tb.join(id, host.Member{}, 0)
			case "leave":
				tb.leave(id)
			case "list":
				if n := tb.members[id]; n != nil {
					var l list
					for _, name := range names.Draw(t, "functions") {
						l.functions = append(l.functions, fn(name, 1))
					}
					tb.setFunctions(n, l)
				}
			case "invite":
				if n := tb.members[id]; n != nil {
					tb.invite(n, nil, 0)
				}
			case "reselect":
				tb.reselect(map[string]bool{"x": true}, rapid.Bool().Draw(t, "swap"), 0)
			}
			checkTable(t, &tb)
		}
	})
}

func checkTable(t *rapid.T, tb *table) {
	if len(tb.view) > tb.max || len(tb.byKey) != len(tb.members) {
		t.Fatalf("view of %d, at most %d; %d keys of %d members", len(tb.view), tb.max, len(tb.byKey), len(tb.members))
	}
	if !slices.IsSortedFunc(tb.view, func(a, b *neighbour) int { return strings.Compare(string(a.id), string(b.id)) }) {
		t.Fatal("view is not sorted")
	}
	want := make(map[string][]peer.ID)
	for _, n := range tb.view {
		if tb.members[n.id] != n || !n.inView {
			t.Fatalf("%s in view is no member", n.id)
		}
		seen := make(map[string]bool)
		for i := range n.functions.functions {
			if id := n.functions.functions[i].id(); !seen[id] {
				seen[id] = true
				want[id] = append(want[id], n.id)
			}
		}
	}
	got := make(map[string][]peer.ID)
	for id, offers := range tb.index {
		for _, o := range offers {
			got[id] = append(got[id], o.by.id)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("index, -want +got:\n%s", diff)
	}
}

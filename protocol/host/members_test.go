package host

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

// Whatever order connections open, greet, fail and close in, each peer's events
// alternate between joined and left, and end as its connections do.
func TestMembersAlternate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFeed()
		go f.run()
		m := newMembers(f)
		var r recorder
		m.subscribe(r.add)
		open := map[*fakeConn]bool{}
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			step(rt, m, open)
		}
		for c := range open {
			m.disconnected(c)
		}
		f.close()
		state := map[peer.ID]bool{}
		for i, e := range r.events {
			if e.Joined == state[e.Peer] {
				rt.Fatalf("event %d: joined %v twice in a row for %s", i, e.Joined, e.Peer)
			}
			state[e.Peer] = e.Joined
		}
		for p, in := range state {
			if in {
				rt.Fatalf("%s has not left", p)
			}
		}
		if len(m.peers) != 0 {
			rt.Fatalf("%d peers are kept", len(m.peers))
		}
	})
}

func step(rt *rapid.T, m *members, open map[*fakeConn]bool) {
	p := peer.ID(fmt.Sprint("peer", rapid.IntRange(0, 2).Draw(rt, "peer")))
	var c *fakeConn
	for o := range open {
		if o.peer == p {
			c = o
		}
	}
	switch action := rapid.IntRange(0, 3).Draw(rt, "action"); {
	case action == 0 || c == nil:
		c = &fakeConn{peer: p, addr: "/ip4/10.0.0.1/tcp/1"}
		open[c] = true
		m.connected(c)
	case action == 1:
		m.greeted(c, &hello.Hello{Incarnation: rapid.Uint64Range(1, 3).Draw(rt, "incarnation")})
	case action == 2:
		m.refused(c, hello.ErrSilent)
	default:
		delete(open, c)
		m.disconnected(c)
	}
}

func TestSubscribeBeginsWithThosePresent(t *testing.T) {
	f := newFeed()
	go f.run()
	m := newMembers(f)
	for _, p := range []peer.ID{"b", "a"} {
		c := &fakeConn{peer: p, addr: "/ip4/10.0.0.1/tcp/1"}
		m.connected(c)
		m.greeted(c, &hello.Hello{})
	}
	var late, gone recorder
	m.subscribe(late.add)
	m.subscribe(gone.add)()
	f.close()
	var got []peer.ID
	for _, e := range late.events {
		if e.Joined {
			got = append(got, e.Peer)
		}
	}
	if diff := cmp.Diff([]peer.ID{"a", "b"}, got); diff != "" {
		t.Errorf("present members (-want +got):\n%s", diff)
	}
	if len(gone.events) != 0 {
		t.Errorf("%d events after unsubscribing", len(gone.events))
	}
}

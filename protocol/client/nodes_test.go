package client

import (
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

func TestOrderOfNodes(t *testing.T) {
	for _, row := range []struct {
		name      string
		connected string
		first     string // order of the first attempt
		then      string // of those after it
	}{
		{"all connected", "abcd", "abcd", "abcd"},
		{"none connected", "", "abcd", "abcd"},
		{"the preferred one is", "ad", "abcd", "adbc"},
		{"the preferred one is not", "cd", "cdab", "cdab"},
	} {
		t.Run(row.name, func(t *testing.T) {
			connected := func(p peer.ID) bool { return slices.Contains(list(row.connected), p) }
			n := nodes{ids: list("abcd")}
			first := n.order(connected)
			if !slices.Equal(first, list(row.first)) {
				t.Errorf("first %v, want %s", first, row.first)
			}
			if then := nearFirst(first, 1, connected); !slices.Equal(then, list(row.then)) {
				t.Errorf("then %v, want %s", then, row.then)
			}
		})
	}
}

// An order is a list that others go on reading.
func TestOrderStays(t *testing.T) {
	n := nodes{ids: slices.Grow(list("abc"), 8)}
	order := n.order(func(peer.ID) bool { return true })
	n.demote("a")
	n.add("d")
	n.add("b") // is there already
	if !slices.Equal(order, list("abc")) {
		t.Errorf("the order became %v", order)
	}
	if now := n.order(func(peer.ID) bool { return true }); !slices.Equal(now, list("bcad")) {
		t.Errorf("order %v, want b, c, a, d", now)
	}
}

func list(s string) []peer.ID {
	var ids []peer.ID
	for _, c := range s {
		ids = append(ids, peer.ID(c))
	}
	return ids
}

func TestIDsDiffer(t *testing.T) {
	a, b, seen := newIDs(), newIDs(), map[string]bool{}
	for range 1000 {
		seen[a.next()], seen[b.next()] = true, true
	}
	if len(seen) != 2000 {
		t.Errorf("%d of 2000 differ", len(seen))
	}
	for id := range seen {
		if len(id) > 48 {
			t.Errorf("%q is long", id)
		}
	}
}

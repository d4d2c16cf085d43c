package mesh

import (
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// maxMembers bounds the table; who comes later is not known at all.
const maxMembers = 4096

// table holds the members, the view (those that are neighbours), and who runs
// what. It does no I/O and reads no clock.
type table struct {
	max     int
	members map[peer.ID]*neighbour
	byKey   map[load.Key]*neighbour
	view    []*neighbour       // sorted by ID
	index   map[string][]offer // of the view, by a function's id; each sorted by neighbour
}

// offer is one neighbour's readiness to run one function.
type offer struct {
	by *neighbour
	f  *Function
}

func (t *table) init(most int) {
	t.max = most
	t.members = make(map[peer.ID]*neighbour)
	t.byKey = make(map[load.Key]*neighbour)
	t.index = make(map[string][]offer)
}

// join adds a member, instead of an earlier life of it. It is a neighbour at
// once if there is room. nil means that the table is full.
func (t *table) join(id peer.ID, m host.Member, now time.Duration) *neighbour {
	t.leave(id)
	if len(t.members) >= maxMembers {
		return nil
	}
	n := newNeighbour(id, m, now)
	t.members[id], t.byKey[n.key] = n, n
	if len(t.view) < t.max {
		t.enter(n)
	}
	return n
}

// leave removes a member and tells whether it was one.
func (t *table) leave(id peer.ID) bool {
	n := t.members[id]
	if n == nil {
		return false
	}
	t.exit(n)
	delete(t.members, id)
	delete(t.byKey, n.key)
	return true
}

// enter makes a member a neighbour.
func (t *table) enter(n *neighbour) {
	if n.inView {
		return
	}
	n.inView = true
	at, _ := slices.BinarySearchFunc(t.view, n.id, func(o *neighbour, id peer.ID) int { return strings.Compare(string(o.id), string(id)) })
	t.view = slices.Insert(t.view, at, n)
	t.offer(n)
}

func (t *table) exit(n *neighbour) {
	if !n.inView {
		return
	}
	t.withdraw(n)
	n.inView = false
	t.view = slices.DeleteFunc(t.view, func(o *neighbour) bool { return o == n })
}

// setFunctions replaces what n runs.
func (t *table) setFunctions(n *neighbour, l list) {
	t.withdraw(n)
	n.functions = l
	t.offer(n)
}

// offer enters what n runs into the index, if n is in view.
func (t *table) offer(n *neighbour) {
	if !n.inView {
		return
	}
	for i := range n.functions.functions {
		f := &n.functions.functions[i]
		offers := t.index[f.id()]
		at, twice := findOffer(offers, n.id)
		if !twice {
			t.index[f.id()] = slices.Insert(offers, at, offer{by: n, f: f})
		}
	}
}

func (t *table) withdraw(n *neighbour) {
	if !n.inView {
		return
	}
	for i := range n.functions.functions {
		id := n.functions.functions[i].id()
		offers := t.index[id]
		at, found := findOffer(offers, n.id)
		if !found {
			continue
		}
		if t.index[id] = slices.Delete(offers, at, at+1); len(t.index[id]) == 0 {
			delete(t.index, id)
		}
	}
}

func findOffer(offers []offer, id peer.ID) (int, bool) {
	return slices.BinarySearchFunc(offers, id, func(o offer, id peer.ID) int { return strings.Compare(string(o.by.id), string(id)) })
}

// reselect chooses the view anew and tells how many neighbours changed.
func (t *table) reselect() (changed int) {
	all := make([]applicant, 0, len(t.members))
	for id, n := range t.members {
		all = append(all, applicant{id: id, rtt: n.rtt.smoothed, neighbour: n.inView, joined: n.joined})
	}
	chosen := make(map[peer.ID]bool, t.max)
	for _, a := range choose(all, t.max) {
		chosen[a.id] = true
	}
	for id, n := range t.members {
		if n.inView && !chosen[id] {
			t.exit(n)
			changed++
		}
	}
	for id := range chosen {
		t.enter(t.members[id])
	}
	return changed
}

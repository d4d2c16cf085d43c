package mesh

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

// maxMembers bounds the table; who comes later is not known at all.
const maxMembers = 4096

// table holds the members, the view (those that are neighbours), and who runs
// what. It does no I/O and reads no clock.
type table struct {
	max     int
	rnd     *rand.Rand
	members map[peer.ID]*neighbour
	byKey   map[load.Key]*neighbour
	view    []*neighbour             // sorted by ID
	gone    map[string]time.Duration // when a node left that ran the function
	index   map[string][]offer       // of the view, by a function's id; each sorted by neighbour
}

// offer is one neighbour's readiness to run one function.
type offer struct {
	by *neighbour
	f  *Function
}

func (t *table) init(most int) {
	t.max = most
	t.rnd = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	t.members = make(map[peer.ID]*neighbour)
	t.byKey = make(map[load.Key]*neighbour)
	t.index = make(map[string][]offer)
	t.gone = make(map[string]time.Duration)
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
		t.enter(n, now)
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

// service is what is known of how long the function runs on n.
func (t *table) service(n *neighbour, function string) sched.Service {
	for _, o := range t.index[function] {
		if o.by == n {
			return o.f.Service
		}
	}
	return sched.Service{}
}

// enter makes a member a neighbour.
func (t *table) enter(n *neighbour, now time.Duration) {
	if n.inView {
		return
	}
	n.inView, n.byChance, n.entered = true, false, now
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

// reselect chooses the view anew and tells how many neighbours changed. own is
// what this node runs; swap is as in choose.
func (t *table) reselect(own map[string]bool, swap bool, now time.Duration) (changed int) {
	all := make([]applicant, 0, len(t.members))
	for id, n := range t.members {
		all = append(all, applicant{id: id, rtt: n.rtt.smoothed, neighbour: n.inView, random: n.byChance,
			useful: n.useful(own, now), joined: n.joined, entered: n.entered})
	}
	chosen := make(map[peer.ID]bool, t.max) // and whether by chance
	for _, a := range choose(all, t.max, swap, t.rnd) {
		chosen[a.id] = a.random
	}
	for id, n := range t.members {
		if _, stays := chosen[id]; n.inView && !stays {
			t.exit(n)
			changed++
		}
	}
	for id, byChance := range chosen {
		n := t.members[id]
		t.enter(n, now)
		n.byChance = byChance
	}
	return changed
}

// usefulFor is how long who was of use counts as useful.
const usefulFor = 5 * time.Minute

// useful tells whether the member shares a function with this node, or was sent
// or sought for work lately.
func (n *neighbour) useful(own map[string]bool, now time.Duration) bool {
	if n.used > 0 && now-n.used < usefulFor {
		return true
	}
	return slices.ContainsFunc(n.functions.functions, func(f Function) bool { return own[f.id()] })
}

// invite makes a member a neighbour that is of use now, instead of another if
// there is no room: the farthest of those who are of no use, have no work of
// ours, and are there by chance, as far as there are such.
func (t *table) invite(n *neighbour, own map[string]bool, now time.Duration) {
	n.used = now
	if n.inView {
		return
	}
	if len(t.view) >= t.max {
		t.exit(slices.MinFunc(t.view, func(a, b *neighbour) int { return cmp.Compare(a.worth(own, now), b.worth(own, now)) }))
	}
	t.enter(n, now)
}

// worth is what counts against taking a neighbour out of view: each of these
// outweighs those after it.
func (n *neighbour) worth(own map[string]bool, now time.Duration) float64 {
	var w float64
	for _, reason := range []bool{len(n.sends.list) > 0, n.useful(own, now), !n.byChance} {
		w *= 2
		if reason {
			w++
		}
	}
	return w - min(n.rtt.smoothed.Seconds()/60, 1)/2 // distance decides among equals
}

package sched

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Table is what one node believes of its neighbours: it turns the reports that
// arrive into [Neighbour]s. No I/O, no clock, no lock: one caller at a time.
//
//   - The newest sample wins, by whatever way it came. Of two of the same
//     moment the one with the larger Wait does: it was told by somebody who had
//     sent something there since.
//   - What this node sent counts until a report comes that was sampled after it
//     arrived there, or until it has ended. A report that is merely newer than the
//     send may have been made while that was still under way.
//   - Who was not heard for long, or has just failed, is no candidate; see
//     [Table.Candidates].
//
// A neighbour is named by its place, which holds until the next Join or Leave.
type Table struct {
	neighbours []Neighbour // sorted by ID
	standings  []standing  // of the same
	order      []int32     // their places, the freshest first
	rank       []int32     // where in order each place is
	absent     int         // those that are no candidates whatever their age
	oldest     time.Duration
	chosen     []Neighbour
}

// standing is what a Table knows of a neighbour and a policy need not.
type standing struct {
	heard   bool
	sends   sends
	breaker breaker
}

// Told is a report with its subject, as it is passed on to third parties.
type Told struct {
	Place   int
	Load    Load
	Sampled time.Duration
}

// Len is how many neighbours there are.
func (t *Table) Len() int { return len(t.neighbours) }

// At is the neighbour at that place. It must not be changed but for ID and what
// the Table does not keep: RTT, zone, services.
func (t *Table) At(place int) *Neighbour { return &t.neighbours[place] }

// Find is the place of a neighbour.
func (t *Table) Find(id peer.ID) (place int, ok bool) {
	return slices.BinarySearchFunc(t.neighbours, id, func(n Neighbour, id peer.ID) int {
		return strings.Compare(string(n.ID), string(id))
	})
}

// Join adds a neighbour of whose load nothing is known yet, instead of an
// earlier life of it.
func (t *Table) Join(n Neighbour) (place int) {
	n.Load, n.Sampled, n.OwnSends, n.OwnWork = Load{}, 0, 0, 0
	n.Health, n.Honesty = 1, 1
	place, there := t.Find(n.ID)
	if there {
		t.Leave(n.ID)
	}
	t.neighbours = slices.Insert(t.neighbours, place, n)
	t.standings = slices.Insert(t.standings, place, standing{})
	t.absent++
	t.sort()
	return place
}

// Leave removes a neighbour and tells whether it was one.
func (t *Table) Leave(id peer.ID) bool {
	place, ok := t.Find(id)
	if !ok {
		return false
	}
	if t.standings[place].absent() {
		t.absent--
	}
	t.neighbours = slices.Delete(t.neighbours, place, place+1)
	t.standings = slices.Delete(t.standings, place, place+1)
	t.sort()
	return true
}

// Hear takes in a report and tells whether it was news.
func (t *Table) Hear(place int, l *Load, sampled time.Duration) bool {
	n, s := &t.neighbours[place], &t.standings[place]
	switch {
	case !s.heard:
		s.heard = true
		t.present(s)
	case sampled < n.Sampled, sampled == n.Sampled && l.Wait <= n.Load.Wait:
		return false
	}
	n.Load, n.Sampled = *l, sampled
	t.rise(place)
	t.oldest = min(t.oldest, sampled)
	if n.OwnSends > 0 {
		s.sends.reported(n, sampled)
	}
	return true
}

// Candidates are the neighbours to which work may be sent now, sorted by ID:
// those heard within limit that did not fail a moment ago. The slice is the
// Table's, until its next call.
func (t *Table) Candidates(now, limit time.Duration) []Neighbour {
	if t.absent == 0 && now-t.oldest > limit {
		t.oldest = t.eldest()
	}
	if t.absent == 0 && now-t.oldest <= limit {
		return t.neighbours
	}
	t.chosen = t.chosen[:0]
	for i := range t.neighbours {
		if n := &t.neighbours[i]; t.standings[i].candidate(now) && now-n.Sampled <= limit {
			t.chosen = append(t.chosen, *n)
		}
	}
	return t.chosen
}

// eldest is the age of the report that is oldest, of those that were heard.
func (t *Table) eldest() time.Duration {
	if len(t.order) == 0 {
		return 0
	}
	return t.neighbours[t.order[len(t.order)-1]].Sampled
}

// sort puts order and rank right after places have changed.
func (t *Table) sort() {
	t.order, t.rank = t.order[:0], t.rank[:0]
	for place := range t.neighbours {
		t.order = append(t.order, int32(place))
		t.rank = append(t.rank, 0)
	}
	slices.SortStableFunc(t.order, func(a, b int32) int {
		return cmp.Compare(t.neighbours[b].Sampled, t.neighbours[a].Sampled)
	})
	for rank, place := range t.order {
		t.rank[place] = int32(rank)
	}
}

// rise brings a place to where it belongs now that it has been heard of.
func (t *Table) rise(place int) {
	sampled := t.neighbours[place].Sampled
	at := t.rank[place]
	for ; at > 0 && t.neighbours[t.order[at-1]].Sampled < sampled; at-- {
		t.order[at] = t.order[at-1]
		t.rank[t.order[at]] = at
	}
	t.order[at] = int32(place)
	t.rank[place] = at
}

// Freshest appends to dst, the freshest first, the reports that are worth
// passing on: at most most of them, sampled at since or later, none of the place
// except. What this node sent there itself and the report does not know yet is added
// to its Wait and its Queued: the receiver can know of it from nobody else.
func (t *Table) Freshest(dst []Told, most int, since time.Duration, except int) []Told {
	for _, at := range t.order {
		place := int(at)
		n := &t.neighbours[place]
		if most == 0 || n.Sampled < since {
			break
		}
		if place == except || !t.standings[place].heard {
			continue
		}
		dst = append(dst, Told{Place: place, Load: n.Load, Sampled: n.Sampled})
		t.addSends(&dst[len(dst)-1])
		most--
	}
	return dst
}

func (t *Table) addSends(e *Told) {
	n := &t.neighbours[e.Place]
	if n.OwnSends == 0 {
		return
	}
	e.Load.Queued += n.OwnSends
	if servers := max(1, n.Load.Servers); n.Queue() > servers {
		e.Load.Wait += n.OwnWork / time.Duration(servers)
	}
}

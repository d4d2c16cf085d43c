package rl

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"
)

// TestLedger compares with a map, whatever the order of outcomes.
func TestLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledger[int]
		open := map[uint64]int{}
		for i := range rapid.IntRange(0, 300).Draw(t, "turns") {
			if rapid.Bool().Draw(t, "opens") || len(open) == 0 {
				token, record := l.open()
				*record = i
				open[token] = i
				continue
			}
			token := rapid.Uint64Range(0, l.last+1).Draw(t, "token")
			want, ok := open[token]
			got := l.close(token)
			if (got != nil) != ok || ok && *got != want {
				t.Fatalf("token %d: %v, want %v %v", token, got, want, ok)
			}
			delete(open, token)
		}
		if l.lost != 0 {
			t.Fatalf("lost %d of a few hundred", l.lost)
		}
	})
}

func TestLedgerGivesUpTheOldest(t *testing.T) {
	var l ledger[int]
	for i := range ledgerMost + 10 {
		_, record := l.open()
		*record = i
	}
	if len(l.slots) != ledgerMost || l.lost != 10 {
		t.Errorf("%d slots, %d lost", len(l.slots), l.lost)
	}
	if l.close(10) != nil || *l.close(11) != 10 {
		t.Error("gave up others than the oldest")
	}
}

func TestLRUDropsTheLeastUsed(t *testing.T) {
	made := 0
	l := newLRU[string](3, func() *int { made++; return &made })
	for _, key := range []string{"a", "b", "c", "a", "d"} {
		l.get(key)
	}
	kept := slices.Sorted(maps.Keys(l.entries))
	if !slices.Equal(kept, []string{"a", "c", "d"}) || made != 4 {
		t.Errorf("keeps %v, made %d", kept, made)
	}
}

// TestSequence: whatever order rewards come in and whichever never come, steps
// leave in order, at most once, and joined only if nothing is missing between them.
func TestSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newSequence(rapid.IntRange(1, 12).Draw(t, "window"), rapid.IntRange(1, 50).Draw(t, "gap"))
		count := rapid.IntRange(0, 400).Draw(t, "count")
		late := rapid.SliceOfN(rapid.IntRange(0, 120), count, count).Draw(t, "late")
		due := map[int][]uint64{}
		for i, l := range late {
			if l < 110 { // the others never come
				due[i+l] = append(due[i+l], uint64(i+1))
			}
		}
		var last, out uint64
		for i := range count + 120 {
			if i < count {
				q.open(uint64(i+1), []float64{float64(i)}, 1, 0)
			}
			for _, id := range due[i] {
				q.close(id, float64(id))
				for s, joined := q.pop(false); s != nil; s, joined = q.pop(true) {
					if s.id <= last || joined != (s.id == last+1) || s.reward != float64(s.id) || s.state[0] != float64(s.id-1) {
						t.Fatalf("after %d came %+v, joined %t", last, s, joined)
					}
					last = s.id
					out++
				}
			}
		}
		if held := uint64(q.ready); out+held+q.lost > uint64(count) {
			t.Fatalf("%d out, %d held, %d lost of %d", out, held, q.lost, count)
		}
		if q.ready >= q.gap+q.window {
			t.Fatalf("%d are held back", q.ready)
		}
	})
}

func TestColumnsKeepTheirPeers(t *testing.T) {
	c := newColumns()
	at := map[peer.ID]int{}
	view := func(from, to int) {
		c.turn++
		for i := from; i < to; i++ {
			id := peer.ID(fmt.Sprint(i))
			action, _, ok := c.get(id)
			if !ok {
				continue
			}
			if before, known := at[id]; known && before != action && c.turn < forgotten {
				t.Fatalf("%s was action %d and is %d", id, before, action)
			}
			if action < actionPeers || action >= MaxActions || c.peers[action] != id {
				t.Fatalf("%s is action %d", id, action)
			}
			at[id] = action
		}
	}
	for i := range 50 { // peers come and go
		view(i%7, 40+i%11)
	}
	view(0, 200)
	if len(c.of) != MaxActions-actionPeers {
		t.Errorf("%d peers have a column, there are %d", len(c.of), MaxActions-actionPeers)
	}
	if _, _, ok := c.get("late"); ok {
		t.Error("a peer took the column of one in view")
	}
	c.turn += 2 * forgotten
	if _, fresh, ok := c.get("late"); !ok || !fresh {
		t.Error("no column falls free")
	}
}

func TestChange(t *testing.T) {
	right := func(i int) float64 { // of ten nine are on time, as predicted
		if i%10 == 0 {
			return -0.9
		}
		return 0.1
	}
	var c change
	for i := range 100_000 {
		if c.add(right(i)) {
			t.Fatalf("alarm at %d, and nothing has changed", i)
		}
	}
	for i := range 200 {
		if c.add(right(i) - 0.2) {
			return
		}
	}
	t.Error("no alarm in 200 outcomes that are 20 points off")
}

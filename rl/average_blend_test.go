package rl

import (
	"math"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"
)

// TestBlendIsBetween: the mean by evidence is within what is averaged, nearer to
// who has more evidence, and no surer than the surest.
func TestBlendIsBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) normal {
			return normal{rapid.Float64Range(-5, 5).Draw(t, "mean"), rapid.Float64Range(1e-4, armVariance*0.99).Draw(t, "variance")}
		})
		a, b := one.Draw(t, "a"), one.Draw(t, "b")
		got := blendNormals(normal{0, armVariance}, []normal{a, b, {0, armVariance}})
		if got.Mean < min(a.Mean, b.Mean)-1e-9 || got.Mean > max(a.Mean, b.Mean)+1e-9 {
			t.Fatalf("%v is not between", got)
		}
		if got.Variance != min(a.Variance, b.Variance) {
			t.Fatalf("variance %v", got.Variance)
		}
		if a.Variance < b.Variance && math.Abs(got.Mean-a.Mean) > math.Abs(got.Mean-b.Mean)+1e-9 {
			t.Fatalf("%v is nearer to who has less evidence", got)
		}
	})
}

// TestBlendByVisits: 30 visits weigh three times what 10 do.
func TestBlendByVisits(t *testing.T) {
	a, b := newTiles(1, 1), newTiles(1, 1)
	a.weights[7], a.visits[7], b.weights[7], b.visits[7] = 1, 30, -1, 10
	got := newTiles(1, 1)
	got.blend([]*tiles{a, b, newTiles(1, 1)})
	if got.weights[7] != 0.5 || got.visits[7] != 40 {
		t.Errorf("weight %v of %d visits, want .5 of 40", got.weights[7], got.visits[7])
	}
}

// TestAverageFindsPeersUnderOtherNumbers: what two nodes learned of one peer meets,
// though the actions that lead to it are numbered in another way.
func TestAverageFindsPeersUnderOtherNumbers(t *testing.T) {
	a, b := map[key]int{{"x"}: 3, {"y"}: 4}, map[key]int{{"y"}: 3, {"z"}: 4}
	merged := joinColumns([]temporalKnowledge{{Columns: a}, {Columns: b}})
	var of row
	for _, from := range []map[key]int{a, b} {
		m := movesOf(from, merged)
		r := row{}
		action := from[key{"y"}]
		r.values[action], r.visits[action] = 1, 10
		other := newTable()
		other.rows["s"] = &r
		other.rename(&m)
		of = *blendRows([]*row{&of, other.rows["s"]})
	}
	y := merged[key{peer.ID("y")}]
	if of.values[y] != 1 || of.visits[y] != 20 || of.evidence() != 20 {
		t.Errorf("the action of y is %d: value %v of %d visits", y, of.values[y], of.visits[y])
	}
}

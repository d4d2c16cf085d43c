package main

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	known := []string{"gossip", "mesh", "queue", "servers", "set"}
	for name, want := range map[string]string{"gosip": "gossip", "mesh": "mesh", "server": "servers", "q": "set", "sets": "set"} {
		if got := nearest(name, slices.Values(known)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ab]{0,6}`)
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		ab, ba, ac, cb := editDistance(a, b), editDistance(b, a), editDistance(a, c), editDistance(c, b)
		if ab != ba || (ab == 0) != (a == b) || ab > ac+cb || ab > max(len(a), len(b)) {
			t.Fatalf("%q %q %q: %d %d %d %d is no distance", a, b, c, ab, ba, ac, cb)
		}
	})
}

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/goals"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

func TestOptions(t *testing.T) {
	o, _, err := parseOptions([]string{"-paths", "sdk,direct", "-bodies", "0,1KB,16MB", "-at-once", "1,8", "-distance", "0,20ms", "-quick"})
	if err != nil {
		t.Fatal(err)
	}
	if got := pathNames(o.paths); got != "direct,proxy,sdk" || o.reps != 3 {
		t.Errorf("paths %s, %d repetitions", got, o.reps)
	}
	const far = 20 * time.Millisecond
	want := []figures.Cell{
		{AtOnce: 1}, {AtOnce: 8}, {Body: 1 << 10, AtOnce: 1}, {Body: 1 << 10, AtOnce: 8}, {Body: 16 << 20, AtOnce: 1},
		{AtOnce: 1, Distance: far}, {Body: 1 << 10, AtOnce: 1, Distance: far}, {Body: 16 << 20, AtOnce: 1, Distance: far},
	}
	if diff := cmp.Diff(want, o.cells()); diff != "" {
		t.Error(diff)
	}
}

func TestWrongOptions(t *testing.T) {
	for _, args := range [][]string{
		{"more"}, {"-paths", "sdk,pigeon"}, {"-bodies", "1GB"}, {"-bodies", "-1"}, {"-bodies", "33MB"}, {"-bodies", ""},
		{"-at-once", "0"}, {"-at-once", "501"}, {"-distance", "20"}, {"-distance", "-1ms"}, {"-far-at-once", "x"}, {"-reps", "0"}, {"-base", "sdk-before"},
		{"-time", "0s"}, {"-soak", "-1"},
	} {
		if _, _, err := parseOptions(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

// What the goals are about is measured unless told otherwise.
func TestGoalsAreMeasured(t *testing.T) {
	o, _, err := parseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{"": true}
	for _, p := range stage.Paths(false) {
		named[p.Name] = true
	}
	measured := map[figures.Cell]bool{}
	for _, c := range o.cells() {
		measured[c] = true
	}
	for _, g := range goals.All() {
		if !named[g.Path] || !named[g.Against] || !measured[g.Cell] {
			t.Errorf("%s in %+v is not measured", g, g.Cell)
		}
	}
}

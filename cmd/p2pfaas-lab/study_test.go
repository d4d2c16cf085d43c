package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplitChoices(t *testing.T) {
	for text, want := range map[string][]string{
		"spread":                          {"spread"},
		"spread,local":                    {"spread", "local"},
		"power-of-n:f=2,t=1,local":        {"power-of-n:f=2,t=1", "local"},
		"a:x=1,b:y=2,z=3":                 {"a:x=1", "b:y=2,z=3"},
		"local,power-of-n:f=2,spread:h=1": {"local", "power-of-n:f=2", "spread:h=1"},
	} {
		if diff := cmp.Diff(want, splitChoices(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestChoiceText: what is printed can be given again.
func TestChoiceText(t *testing.T) {
	word := rapid.StringMatching(`[a-z][a-z0-9-]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) choice {
			return choice{name: word.Draw(t, "name"), set: rapid.MapOfN(word, rapid.StringMatching(`[a-z0-9.:]{0,5}`), 0, 3).Draw(t, "set")}
		}), 1, 4).Draw(t, "list")
		var texts []string
		for _, c := range list {
			texts = append(texts, c.String())
		}
		var got choices
		if err := got.Set(strings.Join(texts, ",")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(choices(list), got, cmp.AllowUnexported(choice{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestSeeds(t *testing.T) {
	var got seeds
	for _, text := range []string{"1-3,7", "9"} {
		if err := got.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(seeds{1, 2, 3, 7, 9}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "x", "1-", "-3", "3-1", "0", "1,,2", "18446744073709551615", "1-9223372036854775807"} {
		if err := new(seeds).Set(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestPoints(t *testing.T) {
	var s sweeps
	for _, text := range []string{"a=1,2", "rate=[1,2],[3,4]"} {
		if err := s.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, p := range s.points() {
		got = append(got, textOf(p))
	}
	want := []string{"a=1 rate=[1,2]", "a=1 rate=[3,4]", "a=2 rate=[1,2]", "a=2 rate=[3,4]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestVariant: keys reach what they name.
func TestVariant(t *testing.T) {
	from, err := readSource(tiny)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := from.variant([]assignment{
		{"network.delay", "10ms"}, {"nodes.servers", "3"}, {"nodes[1].queue", "7"}, {"nodes[0].speed", "[1.0, 2.0]"},
		{"classes[0].deadline", "90ms"}, {"load.utilisation", "0.5"}, {"network.zone_delay", "1s"}, {"expiry", "on"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{sc.Network.Delay.String(), sc.Nodes[0].Servers, sc.Nodes[1].Servers, sc.Nodes[0].Queue, sc.Nodes[1].Queue,
		sc.Nodes[0].Speed, sc.Classes[0].Deadline.String(), sc.Load.Utilisation, sc.Network.ZoneDelay.String()}
	want := []any{"10ms", 3, 3, 4, 7, []float64{1, 2}, "90ms", 0.5, "1s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, err := from.variant(nil); err != nil || again.Nodes[0].Servers != 1 {
		t.Errorf("the source has changed: %v", err)
	}
}

// TestEstimate: figures from a table of Student's t.
func TestEstimate(t *testing.T) {
	e := estimateOf([]float64{1, 2, 3, 4, 5})
	if want := 2.776445 * math.Sqrt(2.5) / math.Sqrt(5); e.mean != 3 || math.Abs(e.half-want) > 1e-5 {
		t.Errorf("%v ± %v, want 3 ± %v", e.mean, e.half, want)
	}
	if one := estimateOf([]float64{7}); one.mean != 7 || !math.IsNaN(one.half) {
		t.Errorf("one run: %+v", one)
	}
}

// TestSameAgain: JSON is the same for the same seed, but for decision_ns, and however
// many run at a time.
func TestSameAgain(t *testing.T) {
	objects := func(parallel string) (list []map[string]any) {
		got := program(t, "sim", tiny, "-p", "spread,prequal", "--seed", "1-4", "--json", "--detail", "--parallel", parallel)
		if got.code != exitOK {
			t.Fatal(got.stderr)
		}
		for line := range strings.Lines(got.stdout) {
			var o map[string]any
			if err := json.Unmarshal([]byte(line), &o); err != nil {
				t.Fatal(err)
			}
			delete(o, "decision_ns")
			list = append(list, o)
		}
		return list
	}
	one, two := objects("1"), objects("4")
	if diff := cmp.Diff(one, two); diff != "" {
		t.Error(diff)
	}
	if len(one) != 8 || one[0]["seed"] != 1.0 || one[7]["policy"] != "prequal" || cmp.Equal(one[0]["in_deadline"], one[1]["in_deadline"]) {
		t.Errorf("8 runs in order are not what came: %v", one)
	}
	for _, key := range []string{"mode", "scenario", "nodes", "requests", "served", "refused", "expired", "lost", "mean_s", "p50_s",
		"p95_s", "p99_s", "forwarded", "hops_mean", "probes", "pulls", "gossip", "jain", "worst", "utilisation", "reward_mean"} {
		if _, ok := one[0][key]; !ok {
			t.Errorf("there is no %s", key)
		}
	}
}

package learner

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestStateBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := rapid.SliceOfN(rapid.Float64(), 0, 20).Draw(t, "state")
		back, err := parseState(FormatState(state))
		if err != nil || len(state) > 0 && !cmp.Equal(state, back) || len(back) != len(state) {
			t.Fatalf("%v became %v: %v", state, back, err)
		}
	})
}

func TestBatchBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := sched.Lesson{Step: sched.Step{
			ID:    rapid.Uint64Range(0, math.MaxInt64).Draw(t, "id"),
			State: rapid.SliceOfN(rapid.Float64(), 1, 20).Draw(t, "state"), Action: rapid.IntRange(0, 1000).Draw(t, "action"),
		}, Reward: rapid.Float64().Draw(t, "reward")}
		text, err := json.Marshal([]entry{entryOf(&want)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseBatch(text)
		if err != nil || len(got) != 1 || !cmp.Equal(want, got[0]) {
			t.Fatalf("%s became %+v: %v", text, got, err)
		}
	})
}

// What comes from the other side is refused or finite and bounded.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "1", "3.0", "1,0.5", "[1,2]", "NaN", "1e309", `[{"eid":1,"state":"1,2","action":0,"reward":1}]`,
		`[{"eid":"1","state":[1],"action":"2","reward":"-1e3"}]`, `[null]`, `[{"eid":-1}]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sound := func(state []float64, err error) {
			for _, x := range state {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Errorf("%q has %v", text, x)
				}
			}
			if len(state) > maxState || err != nil && state != nil {
				t.Errorf("%q: %d numbers, and %v", text, len(state), err)
			}
		}
		sound(parseState(text))
		if state, err := parseQuestion([]byte(text)); err == nil {
			sound(state, nil)
		}
		if a, err := parseAdvice(text, text); err == nil && (!a.OK || math.IsNaN(a.Epsilon)) {
			t.Errorf("%q is %+v", text, a)
		}
		_, _ = parseActions(text)
		lessons, err := parseBatch([]byte(text))
		if err != nil {
			return
		}
		for i := range lessons {
			sound(lessons[i].State, nil)
			if math.IsNaN(lessons[i].Reward) || math.IsInf(lessons[i].Reward, 0) {
				t.Errorf("%q teaches %v", text, lessons[i].Reward)
			}
		}
	})
}

package rl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// taught is a policy that has served two functions for a while: whatever goes to the
// peer a is late.
func taught(t testing.TB, name string, set settings, turns int) sched.Policy {
	p := newPolicy(t, name, set)
	teach(p, turns)
	return p
}

func teach(p sched.Policy, turns int) {
	rng := seeded(9)
	for i := range turns {
		v, r := moment(rng), schedtest.Request()
		v.Rand = rng
		v.Now += time.Duration(i) * 50 * time.Millisecond
		for j := range v.Neighbours {
			v.Neighbours[j].Sampled += time.Duration(i) * 50 * time.Millisecond
		}
		r.Function, r.Deadline, r.BodySize = []string{"f", "g"}[i%2], 200*time.Millisecond, int64(1000+i%7)
		d := p.Decide(v, r)
		if d.Action == sched.Probe {
			r.Round, r.Token, r.Probed = 1, d.Token, d.Probes
			d = p.Decide(v, r)
		}
		p.(sched.Observer).Observe(sched.Outcome{Request: *r, Decision: d,
			OnTime: d.Action != sched.Refuse && d.Peer != "a" && rng.Float64() < 0.9})
	}
}

var forms = []struct {
	name string
	set  settings
}{
	{"calibrated", nil}, {"residual", nil}, {"bandit", nil},
	{"sarsa", nil}, {"sarsa", settings{"form": "table", "accept": "true"}}, {"q-learning", nil}, {"q-learning", settings{"form": "table"}},
}

// TestSnapshotKeepsWhatWasLearned: who is restored weighs as who was saved.
func TestSnapshotKeepsWhatWasLearned(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name+f.set["form"], func(t *testing.T) {
			before := taught(t, f.name, f.set, 3000)
			saved, err := before.(sched.Snapshotter).Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			after := newPolicy(t, f.name, f.set)
			if err := after.(sched.Snapshotter).Restore(saved); err != nil {
				t.Fatal(err)
			}
			again, err := after.(sched.Snapshotter).Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(normalised(t, saved), normalised(t, again)) {
				t.Errorf("saved %d bytes, and after restoring them %d others", len(saved), len(again))
			}
			l := after.(sched.Learner).Learning()
			if l.Functions == 0 || f.name != "bandit" && math.Abs(l.Epsilon-0.05) > 1e-9 {
				t.Errorf("restored it is %+v, want to explore .05", l)
			}
		})
	}
}

// normalised has no order of functions or states.
func normalised(t *testing.T, data []byte) []byte {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	delete(s, "sum")
	sortRows(s)
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sortRows makes lists of states maps.
func sortRows(x any) {
	m, ok := x.(map[string]any)
	if !ok {
		return
	}
	for key, value := range m {
		sortRows(value)
		if rows, ok := value.([]any); ok && key == "values" {
			byState := map[string]any{}
			for _, r := range rows {
				byState[r.(map[string]any)["state"].(string)] = r.(map[string]any)["values"]
			}
			m[key] = byState
		}
	}
}

// TestRestoredDecidesByWhatWasLearned: it does not begin with the default again.
func TestRestoredDecidesByWhatWasLearned(t *testing.T) {
	saved, err := taught(t, "calibrated", nil, 6000).(sched.Snapshotter).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	p := newPolicy(t, "calibrated", nil)
	if err := p.(sched.Snapshotter).Restore(saved); err != nil {
		t.Fatal(err)
	}
	toA, toAByDefault := 0, 0
	rng, spread := seeded(11), newPolicy(t, "spread", nil)
	for range 400 {
		v, r := moment(rng), schedtest.Request()
		v.Rand = rng
		v.Self = schedtest.Self(1, 6, 60*time.Millisecond)
		r.Function, r.Deadline = "f", 200*time.Millisecond
		if serve(p, v, r, true).Peer == "a" {
			toA++
		}
		if spread.Decide(v, r).Peer == "a" {
			toAByDefault++
		}
	}
	if toAByDefault < 15 || toA > toAByDefault/2 {
		t.Errorf("%d of 400 went to the peer that is always late, by default %d", toA, toAByDefault)
	}
}

func TestRestoreRefuses(t *testing.T) {
	saved, err := taught(t, "calibrated", nil, 50).(sched.Snapshotter).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, policy string
		set          settings
		data         string
		want         error
		says         string
	}{
		{"another policy", "residual", nil, string(saved), rl.ErrForeign, `of policy "calibrated"`},
		{"another version", "calibrated", nil, strings.Replace(string(saved), `"version":1`, `"version":7`, 1), rl.ErrForeign, "version 7"},
		{"other features", "calibrated", nil, strings.Replace(string(saved), `"features":"`, `"features":"0`, 1), rl.ErrForeign, "features"},
		{"a flipped digit", "calibrated", nil, strings.Replace(string(saved), `"outcomes":2`, `"outcomes":3`, 1), rl.ErrCorrupt, "checksum"},
		{"cut off", "calibrated", nil, string(saved[:len(saved)/2]), rl.ErrCorrupt, "unexpected end"},
		{"nothing", "calibrated", nil, "", rl.ErrCorrupt, "unexpected end"},
		{"too much", "calibrated", nil, strings.Repeat(" ", rl.MaxSnapshot+1), rl.ErrCorrupt, "more than"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := taught(t, c.policy, c.set, 50).(sched.Snapshotter)
			before, _ := p.Snapshot()
			err := p.Restore([]byte(c.data))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v, want %v that says %q", err, c.want, c.says)
			}
			if after, _ := p.Snapshot(); !bytes.Equal(normalised(t, before), normalised(t, after)) {
				t.Error("what was known before is gone")
			}
		})
	}
}

// TestFormsAreForeign: a table is no tiles.
func TestFormsAreForeign(t *testing.T) {
	saved, err := taught(t, "sarsa", settings{"form": "table"}, 50).(sched.Snapshotter).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := newPolicy(t, "sarsa", nil).(sched.Snapshotter).Restore(saved); !errors.Is(err, rl.ErrForeign) {
		t.Errorf("error %v, want that it is foreign", err)
	}
}

// FuzzRestore: whatever comes from a file is refused or leaves a policy that works.
func FuzzRestore(f *testing.F) {
	for i, form := range forms {
		saved, err := taught(f, form.name, form.set, 20).(sched.Snapshotter).Snapshot()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), knowledgeOf(f, saved))
	}
	f.Fuzz(func(t *testing.T, which uint8, knowledge []byte) {
		form := forms[int(which)%len(forms)]
		p := newPolicy(t, form.name, form.set)
		data, err := rl.Repack(p, knowledge)
		if err != nil {
			return
		}
		if err := p.(sched.Snapshotter).Restore(data); err != nil {
			if !errors.Is(err, rl.ErrCorrupt) && !errors.Is(err, rl.ErrForeign) {
				t.Fatalf("error %v is neither", err)
			}
			return
		}
		if l := p.(sched.Learner).Learning(); l.Functions > 256 {
			t.Fatalf("%d functions", l.Functions)
		}
		teach(p, 20)
		if _, err := p.(sched.Snapshotter).Snapshot(); err != nil {
			t.Fatal(err)
		}
	})
}

func knowledgeOf(t testing.TB, saved []byte) []byte {
	var s struct{ Knowledge json.RawMessage }
	if err := json.Unmarshal(saved, &s); err != nil {
		t.Fatal(err)
	}
	return s.Knowledge
}

package openfaas

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/faas"
)

// TestHealth: it changes after two looks in a row that say so, and not before.
func TestHealth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		looks := rapid.SliceOfN(rapid.Bool(), 1, 30).Draw(t, "well")
		var h health
		var up, changed bool
		for i, well := range looks {
			var err error
			if !well {
				err = errors.New("unwell")
			}
			was := up
			up, changed = h.note(err, time.Unix(int64(i), 0))
			want := was
			if i == 0 || looks[i-1] == well {
				want = well
			}
			if up != want || changed != (i == 0 || up != was) {
				t.Fatalf("look %d of %v: up %v, changed %v, was %v", i, looks, up, changed, was)
			}
			if down := h.check(); (down == nil) != up || down != nil && !errors.Is(down, faas.ErrUnavailable) {
				t.Fatalf("look %d of %v: check says %v", i, looks, down)
			}
		}
	})
}

// TestTableKeepsOwnChanges: a reading that began before a deployment of ours
// does not undo it.
func TestTableKeepsOwnChanges(t *testing.T) {
	table, now := newTable(), time.Now()
	edition, _ := table.begin()
	n := faas.Name{Function: "new", Namespace: faas.DefaultNamespace}
	table.changedByUs(func(m map[faas.Name]*entry) { m[n] = newEntry(faas.Status{Function: faas.Function{Name: n}}) })
	if table.replace(nil, edition, now) || len(table.list("")) != 1 {
		t.Error("an old reading replaced a newer deployment")
	}
	edition, _ = table.begin()
	if !table.replace(nil, edition, now) || len(table.list("")) != 0 || !table.takeUntold() || table.takeUntold() {
		t.Error("a new reading did not replace, or was not told once")
	}
}

func FuzzReadInfo(f *testing.F) {
	f.Add([]byte(`{"provider":{"provider":"faasd","version":{"release":"1"}},"version":{"release":"2"}}`))
	f.Add([]byte(`{"provider":"faasd","version":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if p, err := readInfo(raw); (err == nil) != (p.provider != "") {
			t.Errorf("%q: %+v, %v", raw, p, err)
		}
	})
}

func TestReadInfo(t *testing.T) {
	tests := []struct {
		raw  string
		want product
	}{
		{`{"provider":{"provider":"faas-netes","version":{"release":"0.18","sha":"x"},"orchestration":"kubernetes"},"version":{"release":"0.27","sha":"y"},"arch":"x86_64"}`, product{"faas-netes", "0.27"}},
		{`{"provider":"faasd","version":{"release":"0.19","sha":"x"},"orchestration":"containerd"}`, product{"faasd", "0.19"}},
		{`{"provider":"old"}`, product{"old", ""}},
	}
	for _, tt := range tests {
		if got, err := readInfo([]byte(tt.raw)); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v", tt.raw, got, err)
		}
	}
}

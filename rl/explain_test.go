package rl_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// TestExplainChangesNothing, and says the same each time and after a restart.
func TestExplainChangesNothing(t *testing.T) {
	peers := []peer.ID{"a", "b", "c", "nobody"}
	for _, f := range forms {
		t.Run(f.name+f.set["form"], func(t *testing.T) {
			p := taught(t, f.name, f.set, 2000)
			before, err := p.(sched.Snapshotter).Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			first := p.(sched.Explainer).Explain(peers)
			if diff := cmp.Diff(first, p.(sched.Explainer).Explain(peers)); diff != "" {
				t.Error(diff)
			}
			after, err := p.(sched.Snapshotter).Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(normalised(t, before), normalised(t, after)) {
				t.Error("it knows something else now")
			}
			if len(first) == 0 || len(first) > 2 || first[0].Outcomes == 0 || len(first[0].Sentences) < 4 {
				t.Errorf("of two functions it says %+v", first)
			}
			restored := newPolicy(t, f.name, f.set)
			if err := restored.(sched.Snapshotter).Restore(before); err != nil {
				t.Fatal(err)
			}
			again := restored.(sched.Explainer).Explain(peers)
			if len(again) != len(first) || again[0].Outcomes != first[0].Outcomes || len(again[0].Sentences) != len(first[0].Sentences) {
				t.Errorf("restored it says %+v, before %+v", again, first)
			}
		})
	}
}

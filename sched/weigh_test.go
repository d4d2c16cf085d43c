package sched_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func weigher(t *testing.T) sched.Weigher {
	t.Helper()
	w, ok := newPolicy(t, "spread", nil).(sched.Weigher)
	if !ok {
		t.Fatal("spread does not tell what it weighs")
	}
	return w
}

// TestWeighIsDecide: with the same chance both come to the same.
func TestWeighIsDecide(t *testing.T) {
	weighs, decides := weigher(t), newPolicy(t, "spread", nil)
	open := 0
	for seed := range uint64(300) {
		v := crowd(int(seed % 12))
		v.Self = schedtest.Self(2, int(seed%5), 60*time.Millisecond)
		r := schedtest.Request()
		r.Deadline = time.Duration(seed%7) * 50 * time.Millisecond
		v.Rand = rand.New(rand.NewPCG(seed, 0))
		w := weighs.Weigh(v, r)
		v.Rand = rand.New(rand.NewPCG(seed, 0))
		if d := decides.Decide(v, r); d.Action != w.Decision.Action || d.Peer != w.Decision.Peer || d.Score != w.Decision.Score {
			t.Fatalf("seed %d: weighed %+v, decided %+v", seed, w.Decision, d)
		}
		if !w.Open {
			continue
		}
		open++
		if again := weighs.Settle(v, &w); again.Action != w.Decision.Action || again.Peer != w.Decision.Peer {
			t.Fatalf("seed %d: settled %+v on the numbers that gave %+v", seed, again, w.Decision)
		}
	}
	if open < 50 {
		t.Errorf("only %d of 300 were open", open)
	}
}

// TestSettleHeedsCorrections: the corrected side loses, whichever it was.
func TestSettleHeedsCorrections(t *testing.T) {
	p, v, r := weigher(t), crowd(12), schedtest.Request()
	r.Deadline = 150 * time.Millisecond
	w := p.Weigh(v, r)
	if !w.Open {
		t.Fatal("a busy node among others has nothing to weigh")
	}
	w.Here.Chance, w.There.Chance = 0.9, 0.1
	if d := p.Settle(v, &w); d.Action != sched.Run {
		t.Errorf("likelier here, and it is to %v", d.Action)
	}
	w.Here.Chance, w.There.Chance = 0.1, 0.9
	if d := p.Settle(v, &w); d.Action != sched.Forward || d.Peer != v.Neighbours[w.Peer].ID {
		t.Errorf("likelier there, and it is to %v %q", d.Action, d.Peer)
	}
	w.Here.Chance, w.There.Chance, w.Threshold = 0.5, 0.6, 0.05
	if d := p.Settle(v, &w); d.Action != sched.Forward || d.Reason != sched.ReasonLikelierThere {
		t.Errorf("likelier there by more than the threshold, and it is to %v for %v", d.Action, d.Reason)
	}
}

// TestDrawOpensWhatWasSettled: also with a free server another peer may be weighed.
func TestDrawOpensWhatWasSettled(t *testing.T) {
	p, v, r := weigher(t), crowd(12), schedtest.Request()
	v.Self = schedtest.Self(1, 0, 60*time.Millisecond)
	w := p.Weigh(v, r)
	if w.Open || w.Decision.Reason != sched.ReasonFreeServer || w.Here.Chance != 1 {
		t.Fatalf("with a free server it weighs %+v", w)
	}
	if !p.Draw(v, r, &w) || !w.Open || w.There.Finish <= 0 || w.Peer < 0 || w.Peer >= len(v.Neighbours) {
		t.Errorf("drew %+v", w)
	}
	far := schedtest.Request("x", "y", "z", "u")
	if w = p.Weigh(v, far); p.Draw(v, far, &w) {
		t.Error("draws a peer beyond the last hop")
	}
}

package rl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// talker is a node of a simulation that tells the others what it has learned, every
// talkPeriod, or lies about it. Those are its circle.
type talker struct {
	*blinkered
	t      *testing.T
	circle *[]*talker
	lies   bool
	next   time.Duration
	onTime int
	ends   int
}

const talkPeriod = 10 * time.Second

func (k *talker) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if v.Now >= k.next {
		k.next = v.Now + talkPeriod
		k.talk(v.Self.ID, v.Now)
	}
	return k.blinkered.Decide(v, r)
}

func (k *talker) talk(self peer.ID, now time.Duration) {
	said := k.Policy.(sched.Sharer).Share(now)
	if said == nil {
		return
	}
	if k.lies {
		said = slander(k.t, said)
	}
	for _, o := range *k.circle {
		if o == k {
			continue
		}
		if err := o.Policy.(sched.Sharer).Absorb(self, said, now); err != nil {
			k.t.Fatal(err)
		}
	}
}

func (k *talker) Observe(o sched.Outcome) {
	k.ends++
	if o.OnTime {
		k.onTime++
	}
	k.blinkered.Observe(o)
}

// slander is as far from what was said as is not refused, from more outcomes than
// anybody has seen: praise of who was found slow, and blame of all others.
func slander(t *testing.T, said []byte) []byte {
	var s struct {
		Version   int              `json:"version"`
		Features  string           `json:"features"`
		Functions []map[string]any `json:"functions"`
	}
	if err := json.Unmarshal(said, &s); err != nil {
		t.Fatal(err)
	}
	invert := func(claim []any) {
		at := len(claim) - 2
		if claim[at].(float64) < 0 {
			claim[at] = 20.0
		} else {
			claim[at] = -20.0
		}
		claim[at+1] = 1e300
	}
	for _, f := range s.Functions {
		for _, w := range f["weights"].([]any) {
			invert(w.([]any))
		}
		for _, p := range f["peers"].(map[string]any) {
			invert(p.([]any))
		}
	}
	lie, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return lie
}

// company is with whom three newcomers come to a mesh whose other nodes have learned.
type company int

const (
	alone company = iota
	withTeachers
	withALiar
)

// newcomers simulates their first seconds and tells their share on time, in a mesh
// where three nodes are slower than they say.
func newcomers(t *testing.T, seed uint64, saved [][]byte, with company, warmUp string) (share float64) {
	t.Helper()
	sc := throttled()
	sc.Duration, sc.Warmup = 15*time.Second, 0
	var circle []*talker
	_, err := sim.Run(context.Background(), sc, sim.Options{Seed: seed, Policy: "calibrated", New: func(int) (sched.Policy, error) {
		node := len(circle)
		p := newPolicy(t, "calibrated", settings{"share": fmt.Sprint(with != alone), "warm-up": warmUp})
		if node < 3 || node > 5 {
			if err := p.(sched.Snapshotter).Restore(saved[node]); err != nil {
				return nil, err
			}
		}
		k := &talker{blinkered: blinker(p).(*blinkered), t: t, circle: &circle, lies: with == withALiar && node == 8}
		circle = append(circle, k)
		return k, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	var onTime, ends int
	for _, k := range circle[3:6] {
		onTime, ends = onTime+k.onTime, ends+k.ends
	}
	return float64(onTime) / float64(ends)
}

// TestALiarAmongTeachersDoesNoHarm: newcomers who listen to the others, one of whom
// lies about everything, do as well as alone. That they do better is not claimed: in this
// mesh the difference is within chance.
func TestALiarAmongTeachersDoesNoHarm(t *testing.T) {
	_, made := onTime(t, throttled(), blinker, "calibrated", nil)
	saved := make([][]byte, len(made))
	for i, p := range made {
		saved[i] = save(t, p)
	}
	const seeds = 10
	var share [3]float64
	for seed := range uint64(seeds) {
		for with := range share {
			share[with] += newcomers(t, seed, saved, company(with), "0") / seeds
		}
	}
	for _, with := range []company{withTeachers, withALiar} {
		if share[with] < share[alone]-0.01 {
			t.Errorf("%.4f of what newcomers decide on is on time in company %d, %.4f alone", share[with], with, share[alone])
		}
	}
}

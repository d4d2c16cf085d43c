package rl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// correctors are the policies that can share.
var correctors = []string{"bandit", "calibrated", "residual"}

var sharing = settings{"share": "true", "warm-up": "0", "holdout": "0"}

// afterLessons is a time after those that teach plays at.
const afterLessons = schedtest.Now + 3*time.Minute

func sharer(t testing.TB, name string, turns int) sched.Sharer {
	return taught(t, name, sharing, turns).(sched.Sharer)
}

// toA counts how many of 400 a policy sends to the peer a, without telling it what
// comes of it.
func toA(t testing.TB, p sched.Policy) (count int) {
	rng := seeded(11)
	for range 400 {
		v, r := moment(rng), schedtest.Request()
		v.Rand, v.Self = rng, schedtest.Self(1, 6, 60*time.Millisecond)
		for i := range v.Neighbours {
			v.Neighbours[i].Sampled += afterLessons - v.Now
		}
		v.Now = afterLessons
		r.Function, r.Deadline = "f", 200*time.Millisecond
		if p.Decide(v, r).Peer == "a" {
			count++
		}
	}
	return count
}

// TestSharingIsOffByDefault: nothing is told, and nothing is listened to.
func TestSharingIsOffByDefault(t *testing.T) {
	for _, name := range correctors {
		p := taught(t, name, nil, 1000).(sched.Sharer)
		if p.Sharing() || p.Share(afterLessons) != nil {
			t.Errorf("%s shares without being asked to", name)
		}
		if err := p.Absorb("b", sharer(t, name, 1000).Share(afterLessons), afterLessons); !errors.Is(err, rl.ErrRefused) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, name := range []string{"sarsa", "q-learning", "external"} {
		if _, ok := newPolicy(t, name, nil).(sched.Sharer); ok {
			t.Errorf("%s shares", name)
		}
	}
}

// TestANewcomerLearnsFromOthers which peer is slow, before an outcome of its own;
// and once they have fallen silent it has forgotten.
func TestANewcomerLearnsFromOthers(t *testing.T) {
	for _, name := range correctors {
		t.Run(name, func(t *testing.T) {
			newcomer, alone := sharer(t, name, 0), sharer(t, name, 0)
			for i := range 4 {
				teacher := sharer(t, name, 3000+150*i)
				if err := newcomer.Absorb(peer.ID(fmt.Sprint("t", i)), teacher.Share(afterLessons), afterLessons); err != nil {
					t.Fatal(err)
				}
			}
			before, after := toA(t, alone), toA(t, newcomer)
			if before < 10 || after > before/2 {
				t.Errorf("of 400 it sends %d to the slow peer, alone %d", after, before)
			}
			newcomer.Share(afterLessons + time.Hour)
			if forgotten := toA(t, newcomer); forgotten < before/2 {
				t.Errorf("an hour after their last word it still sends %d, alone %d", forgotten, before)
			}
		})
	}
}

// TestOnlyWhatOneHasSeenIsTold: what others have said goes no further, and to say it
// again changes nothing.
func TestOnlyWhatOneHasSeenIsTold(t *testing.T) {
	for _, name := range correctors {
		p, teacher := sharer(t, name, 500), sharer(t, name, 3000).Share(afterLessons)
		before := p.Share(afterLessons)
		for _, from := range []peer.ID{"t1", "t2", "t1", "t1"} {
			if err := p.Absorb(from, teacher, afterLessons); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.Share(afterLessons); string(got) != string(before) {
			t.Errorf("%s tells of what it has heard:\n%s\nbefore:\n%s", name, got, before)
		}
		if nothing := sharer(t, name, 0).Share(afterLessons); nothing != nil {
			t.Errorf("%s has seen nothing and tells %s", name, nothing)
		}
	}
}

// TestWhatOneSaysOfItselfIsIgnored: that it is quick, or another slow itself.
func TestWhatOneSaysOfItselfIsIgnored(t *testing.T) {
	for _, name := range correctors {
		teacher := sharer(t, name, 3000).Share(afterLessons)
		others := [2]int{}
		for i, from := range [][]peer.ID{{"t1", "t2", "t3"}, {"a", "a", "a"}} {
			p := sharer(t, name, 0)
			for _, id := range from {
				if err := p.Absorb(id, teacher, afterLessons); err != nil {
					t.Fatal(err)
				}
			}
			others[i] = toA(t, p)
		}
		if others[0] >= others[1] {
			t.Errorf("%s sends to a slow peer %d when three others say so, %d when it says so itself", name, others[0], others[1])
		}
	}
}

// lie is a statement of a policy with something else in it.
func lie(t testing.TB, policy, functions string) []byte {
	t.Helper()
	var s map[string]json.RawMessage
	if err := json.Unmarshal(sharer(t, policy, 100).Share(afterLessons), &s); err != nil {
		t.Fatal(err)
	}
	s["functions"] = json.RawMessage(functions)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAbsorbRefuses(t *testing.T) {
	good := sharer(t, "calibrated", 200).Share(afterLessons)
	many := strings.TrimSuffix(strings.Repeat(`{"name":"f"},`, 65), ",")
	for _, c := range []struct {
		what, why string
		said      []byte
	}{
		{"nothing", "unexpected end", nil},
		{"rubbish", "invalid character", []byte("{nonsense")},
		{"another version", "version 2", []byte(strings.Replace(string(good), `"version":1`, `"version":2`, 1))},
		{"other features", "of features", sharer(t, "residual", 200).Share(afterLessons)},
		{"too much", "bytes are more than", append(good, make([]byte, sched.MaxShared)...)},
		{"too many functions", "65 functions", lie(t, "calibrated", "["+many+"]")},
		{"no name", "a name of 0 bytes", lie(t, "calibrated", `[{"weights":[[0,1,1]]}]`)},
		{"an absurd weight", "is beyond 20", lie(t, "calibrated", `[{"name":"f","weights":[[0,1e300,1]]}]`)},
		{"an absurd bias", "is beyond 20", lie(t, "calibrated", `[{"name":"f","peers":{"YQ":[-21,1]}}]`)},
		{"what is no number", "cannot unmarshal", lie(t, "calibrated", `[{"name":"f","weights":[[0,1e999,1]]}]`)},
		{"fewer than no outcomes", "from -1 outcomes", lie(t, "calibrated", `[{"name":"f","weights":[[0,1,-1]]}]`)},
		{"a weight that is none", "weight 7, there are 7", lie(t, "calibrated", `[{"name":"f","weights":[[7,1,1]]}]`)},
		{"half a weight", "no number of a weight", lie(t, "calibrated", `[{"name":"f","weights":[[0.5,1,1]]}]`)},
		{"a peer that is none", "illegal base64", lie(t, "calibrated", `[{"name":"f","peers":{"!":[1,1]}}]`)},
	} {
		p := sharer(t, "calibrated", 0)
		err := p.Absorb("x", c.said, afterLessons)
		if !errors.Is(err, rl.ErrRefused) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: error %v, want that it says %q", c.what, err, c.why)
		}
	}
}

// TestListensToSoMany: more have to wait until one of them falls silent.
func TestListensToSoMany(t *testing.T) {
	p, said := sharer(t, "calibrated", 0), sharer(t, "calibrated", 200).Share(afterLessons)
	for i := range 33 {
		err := p.Absorb(peer.ID(fmt.Sprint(i)), said, afterLessons)
		if i < 32 && err != nil || i == 32 && !errors.Is(err, rl.ErrRefused) {
			t.Fatalf("peer %d: %v", i+1, err)
		}
	}
	if err := p.Absorb("0", said, afterLessons); err != nil {
		t.Errorf("one of them again: %v", err)
	}
	if err := p.Absorb("late", said, afterLessons+time.Hour); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// TestStatementsAreBounded with as many functions and peers as are kept.
func TestStatementsAreBounded(t *testing.T) {
	for _, name := range correctors {
		p := sharer(t, name, 0)
		for i := range 300 {
			v, r := crowd(), schedtest.Request()
			r.Function, r.Deadline = strings.Repeat("f", i%200)+fmt.Sprint(i), 200*time.Millisecond
			for range 20 {
				serve(p, v, r, true)
			}
		}
		said := p.Share(afterLessons)
		if len(said) > sched.MaxShared || len(said) < sched.MaxShared/2 {
			t.Errorf("%s: a statement of %d bytes, at most %d may be", name, len(said), sched.MaxShared)
		}
		if err := sharer(t, name, 0).Absorb("x", said, afterLessons); err != nil {
			t.Error(err)
		}
	}
}

// TestSharingDoesNotAllocate on the way of an invocation.
func TestSharingDoesNotAllocate(t *testing.T) {
	for _, name := range correctors {
		p := sharer(t, name, 0)
		v, r := crowd(), schedtest.Request()
		r.Deadline = 200 * time.Millisecond
		other := sharer(t, name, 0)
		for range 5000 {
			serve(p, v, r, true)
			serve(other, v, r, true)
		}
		if err := p.Absorb("x", other.Share(v.Now), v.Now); err != nil {
			t.Fatal(err)
		}
		if allocs := testing.AllocsPerRun(1000, func() { serve(p, v, r, true) }); allocs != 0 {
			t.Errorf("%s: %v allocations for a decision and its outcome", name, allocs)
		}
	}
}

// FuzzAbsorb: whatever is said, by however many, a node decides on.
func FuzzAbsorb(f *testing.F) {
	for _, name := range correctors {
		f.Add(sharer(f, name, 300).Share(afterLessons))
	}
	f.Add(lie(f, "calibrated", `[{"name":"f","weights":[[0,20,1e308],[1,-20,1e308]],"peers":{"YQ":[20,1e308]}}]`))
	f.Fuzz(func(t *testing.T, said []byte) {
		for _, name := range []string{"calibrated", "residual"} { // bandit has the model of the first
			p := sharer(t, name, 2)
			for _, from := range []peer.ID{"b", "c", "x"} {
				if err := p.Absorb(from, said, afterLessons); err != nil && !errors.Is(err, rl.ErrRefused) {
					t.Fatal(err)
				}
			}
			v, r := busy(1), schedtest.Request()
			r.Function, r.Deadline = "f", 150*time.Millisecond
			for range 5 {
				p.Decide(v, r)
			}
			if l := p.(sched.Learner).Learning(); l.State == sched.FallbackBroken {
				t.Fatal("it broke what was learned")
			}
			if said := p.Share(afterLessons); len(said) > sched.MaxShared {
				t.Fatalf("%d bytes", len(said))
			}
		}
	})
}

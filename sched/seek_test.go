package sched

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// around is an idle node of 100 ms services that knows these peers, 2 ms away,
// each reported just now.
func around(peers ...Neighbour) *View {
	v := &View{Now: time.Minute, Rand: newRand(1), Self: Self{ID: "me", Free: true, Mix: Service{Mean: 100 * ms, Spread: 1}}}
	v.Self.Load = Load{Servers: 1, Speed: 1}
	for _, n := range peers {
		n.Health, n.Honesty, n.Load.Servers, n.Sampled = 1, 1, 1, v.Now-n.Sampled
		if n.RTT == 0 {
			n.RTT = 2 * ms
		}
		v.Neighbours = append(v.Neighbours, n)
	}
	return v
}

// queueing has so many waiting, by a report of that age.
func queueing(id string, queued int, age time.Duration) Neighbour {
	return Neighbour{ID: peerID(id), Sampled: age,
		Load: Load{Running: 1, Queued: queued, Wait: time.Duration(1+queued) * 100 * ms}}
}

// forwarding is of unknown queue, and forwards so much a second.
func forwarding(id string, out float64, rtt time.Duration) Neighbour {
	return Neighbour{ID: peerID(id), Sampled: time.Second, RTT: rtt, Load: Load{Out: out}}
}

func puller(t *testing.T, set map[string]string, tokens int) Puller {
	t.Helper()
	p, err := New("spread", set)
	if err != nil {
		t.Fatal(err)
	}
	for range tokens {
		p.(Puller).Served(0)
	}
	return p.(Puller)
}

func TestWhomAnIdleNodeAsks(t *testing.T) {
	cases := []struct {
		name  string
		peers []Neighbour
		want  peer.ID
	}{
		{"the longest known queue", []Neighbour{queueing("a", 1, 0), queueing("b", 2, 0), forwarding("c", 9, 2*ms)}, "b"},
		{"a queue in reach", []Neighbour{queueing("a", 1, 14*ms), forwarding("b", 1e-9, 2*ms)}, "a"},
		{"an old queue is gone", []Neighbour{queueing("a", 9, 16*ms), forwarding("b", 1, 2*ms)}, "b"},
		{"who forwards", []Neighbour{forwarding("a", 0, 2*ms), forwarding("b", 1, 2*ms)}, "b"},
		{"nobody far", []Neighbour{forwarding("a", 9, 51*ms), forwarding("b", 1, 50*ms)}, "b"},
		{"not who was just heard to have nothing", []Neighbour{
			{ID: "a", Sampled: 49 * ms, Load: Load{Out: 9}}, {ID: "b", Sampled: 51 * ms, Load: Load{Out: 1}}}, "b"},
		{"nobody forwards", []Neighbour{forwarding("a", 0, 2*ms)}, ""},
		{"alone", nil, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ask, again, ok := puller(t, nil, 4).Idle(around(c.peers...))
			if ask.Peer != c.want || ok != (c.want != "") || ok && ask.Passes != 2 || !ok && again != 100*ms {
				t.Errorf("asks %q (%t), again in %v, want %q", ask.Peer, ok, again, c.want)
			}
		})
	}
}

func TestBlindAsksGoByForwards(t *testing.T) {
	p := puller(t, map[string]string{"budget": "100", "budget-cap": "1000"}, 10)
	v := around(forwarding("a", 3, 2*ms), forwarding("b", 1, 2*ms))
	const times = 4000
	asked := map[peer.ID]int{}
	for range times {
		ask, _, ok := p.Idle(v)
		if !ok {
			t.Fatal("asks nobody")
		}
		asked[ask.Peer]++
		p.Pulled(PullEnd{OK: true, Messages: 0})
	}
	if share := float64(asked["a"]) / times; share < 0.72 || share > 0.78 {
		t.Errorf("%.3f of the asks go to who forwards three times as much, want 0.75", share)
	}
}

func TestPassOn(t *testing.T) {
	v := around(queueing("a", 3, 0), queueing("b", 2, 0), queueing("c", 1, 0))
	p := puller(t, nil, 0) // passing on costs the asker
	ask := Pull{Peer: "me", From: "b", Passes: 1, Asked: ids("a")}
	if to, ok := p.Pass(v, ask); !ok || to != "c" {
		t.Errorf("passes to %q, %t; want c, who is neither the asker nor asked", to, ok)
	}
	ask.Passes = 0
	if to, ok := p.Pass(v, ask); ok {
		t.Errorf("passes to %q though it may not", to)
	}
}

func TestTwoAsksInARowThenAPause(t *testing.T) {
	p := puller(t, map[string]string{"budget": "100", "budget-cap": "1000"}, 1)
	v := around(queueing("a", 3, 0))
	for i := range 2 {
		if _, _, ok := p.Idle(v); !ok {
			t.Fatalf("ask %d is not made", i+1)
		}
		p.Pulled(PullEnd{Now: v.Now, Peer: "a", Messages: 2})
	}
	if _, again, ok := p.Idle(v); ok || again != 100*ms {
		t.Errorf("a third ask: %t, again in %v, want a pause of one service", ok, again)
	}
	p.Served(v.Now)
	if _, _, ok := p.Idle(v); !ok {
		t.Error("no ask though it has served meanwhile")
	}
}

// A node at rest, which nobody tells of work, looks less and less often.
func TestIdleBacksOff(t *testing.T) {
	p, v := puller(t, nil, 4), around()
	var pauses []time.Duration
	for range 6 {
		_, again, _ := p.Idle(v)
		pauses = append(pauses, again)
	}
	for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		if pauses[i] != want*ms {
			t.Fatalf("pauses %v, want them to double up to 1s", pauses)
		}
	}
}

func TestBudget(t *testing.T) {
	p, v := puller(t, nil, 1), around(queueing("a", 3, 0))
	if _, again, ok := p.Idle(v); ok || again != 0 {
		t.Fatalf("asks (%t) on 2.5 messages, again in %v; want no ask before it has served", ok, again)
	}
	p.Served(0)
	if _, _, ok := p.Idle(v); !ok {
		t.Fatal("does not ask on 5 messages")
	}
	// 1 is left, 3 of 4 come back: 4, enough for one more.
	p.Pulled(PullEnd{OK: true, Messages: 1})
	if _, _, ok := p.Idle(v); !ok {
		t.Fatal("what was not spent did not come back")
	}
	p.Pulled(PullEnd{OK: true, Messages: 4})
	if _, _, ok := p.Idle(v); ok {
		t.Fatal("asks on nothing")
	}
}

// However long it serves and whatever its asks cost, a node sends no more than
// it has earned, and saves up no more than the cap.
func TestBudgetHolds(t *testing.T) {
	p, v := puller(t, nil, 0), around(queueing("a", 3, 0))
	rng := newRand(2)
	const served = 2000
	spent := 0
	for range served {
		p.Served(v.Now)
		for range rng.IntN(4) {
			if _, _, ok := p.Idle(v); ok {
				used := 1 + rng.IntN(4)
				spent += used
				p.Pulled(PullEnd{Now: v.Now, OK: rng.IntN(2) == 0, Messages: used})
			}
		}
		v.Now += 100 * ms
		v.Neighbours[0].Sampled = v.Now
	}
	if limit := 2.5 * served; float64(spent) > limit || float64(spent) < limit/2 {
		t.Errorf("%d messages for %d served, want at most %v and not much less", spent, served, limit)
	}
}

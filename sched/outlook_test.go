package sched

import (
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestWaitThere(t *testing.T) {
	cases := []struct {
		name    string
		n       Neighbour
		service float64
		want    float64
	}{
		{"idle", Neighbour{Load: Load{Servers: 1}}, 0.1, 0},
		{"idle and wide", Neighbour{Load: Load{Servers: 4}}, 0.1, -0.075},
		{"by counts", Neighbour{Load: Load{Servers: 2, Running: 2, Queued: 3}}, 0.1, 0.2},
		{"own sends", Neighbour{Load: Load{Servers: 2, Running: 2}, OwnSends: 3}, 0.1, 0.2},
		{"by its own account", Neighbour{Load: Load{Servers: 2, Running: 2, Queued: 3, Wait: 70 * ms}}, 0.1, 0.07},
		{"own account and own sends", Neighbour{Load: Load{Servers: 2, Wait: 70 * ms}, OwnSends: 1}, 0.1, 0.12},
		{"nonsense", Neighbour{Load: Load{Servers: 1, Running: -5}, OwnSends: -1}, 0.1, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := new(outlook).waitThere(&c.n, float64(max(1, c.n.Load.Servers)), c.service); !near(got, c.want) {
				t.Errorf("wait %v, want %v", got, c.want)
			}
		})
	}
}

func TestPace(t *testing.T) {
	measured := func(mean time.Duration, speed float64) Neighbour {
		return Neighbour{Service: Service{Mean: mean}, Load: Load{Speed: speed}}
	}
	cases := []struct {
		name       string
		self       Neighbour // its Service and Load
		neighbours []Neighbour
		want       float64
	}{
		{"nobody measured", measured(0, 1), []Neighbour{measured(0, 1)}, 0.1},
		{"own", measured(60*ms, 1), []Neighbour{measured(10*ms, 1)}, 0.06},
		{"own on a slow node", measured(60*ms, 2), nil, 0.03},
		{"the shortest of others", measured(0, 1), []Neighbour{measured(50*ms, 1), measured(60*ms, 2), measured(0, 9)}, 0.03},
		{"speed unknown", measured(60*ms, 0), nil, 0.06},
		{"speed is nonsense", measured(60*ms, math.NaN()), nil, 0.06},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := &View{Self: Self{Service: c.self.Service, Load: c.self.Load}, Neighbours: c.neighbours}
			if got := float64(paceOf(v, 100*ms)); !near(got, c.want) {
				t.Errorf("pace %v, want %v", got, c.want)
			}
		})
	}
}

func TestLookLeavesOut(t *testing.T) {
	well := Neighbour{Health: 1, Honesty: 1, Sampled: time.Minute, Load: Load{Out: 4}}
	neighbours := map[string]func(*Neighbour){
		"well":      func(*Neighbour) {},
		"visited":   func(*Neighbour) {},
		"me":        func(*Neighbour) {},
		"failing":   func(n *Neighbour) { n.Health = 0 },
		"liar":      func(n *Neighbour) { n.Honesty = 0 },
		"hardly":    func(n *Neighbour) { n.Health, n.Honesty = 1e-38, 1e-272 },
		"nonsense":  func(n *Neighbour) { n.Health = math.NaN() },
		"too old":   func(n *Neighbour) { n.Sampled -= 10*time.Second + 1 },
		"quite old": func(n *Neighbour) { n.Sampled -= 8 * time.Second },
	}
	v := &View{Now: time.Minute, Self: Self{ID: "me"}}
	for id, change := range neighbours {
		n := well
		change(&n)
		n.ID = peerID(id)
		v.Neighbours = append(v.Neighbours, n)
	}
	var o outlook
	o.look(v, &Request{Visited: ids("visited")}, estimates{prior: 100 * ms, maxAge: 10 * time.Second})
	if len(o.candidates) != 2 {
		t.Errorf("candidates %v, want well and quite old", o.candidates)
	}
	for _, c := range o.candidates {
		if id := v.Neighbours[c.neighbour].ID; id != "well" && id != "quite old" {
			t.Errorf("%q is a candidate", id)
		}
	}
	// Eight reports count, 4 forwards a second each, 8/8 s old on average.
	if !near(o.unseen, 8*4*8.0/8) {
		t.Errorf("unseen %v, want 32", o.unseen)
	}
}

// Reports come from peers: no number in them may make a decision impossible.
func TestSpreadSurvivesNonsense(t *testing.T) {
	nonsense := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, math.MaxFloat64, math.SmallestNonzeroFloat64}
	p, err := New("spread", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range nonsense {
		for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, math.MaxInt64} {
			v := &View{Now: time.Minute, Rand: newRand(1), Self: Self{Deployed: true, Room: true, Service: Service{Mean: d}}}
			for _, id := range ids("a", "b") {
				v.Neighbours = append(v.Neighbours, Neighbour{ID: id, Health: 1, Honesty: x, RTT: d, Sampled: time.Minute,
					Cold: d, Service: Service{Mean: d}, Load: Load{Speed: x, Out: x, Wait: d, Servers: math.MaxInt, Running: math.MaxInt}})
			}
			v.Neighbours[0].Honesty = 1
			got := p.Decide(v, &Request{})
			if math.IsNaN(got.Score.Here+got.Score.There) || got.Action != Run && got.Action != Forward {
				t.Errorf("with %v and %v: %+v", x, d, got)
			}
		}
	}
}

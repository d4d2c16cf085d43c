package sched_test

import (
	"math"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestSpreadV1Rule4Compare(t *testing.T) {
	testRulings(t, "spread-v1", nil, []ruling{
		{"a peer is idle", 1, []int{0}, nil, sched.Forward, "a", sched.ReasonThereSooner},
		{"as busy", 2, []int{2}, nil, sched.Run, "", sched.ReasonHereSooner},
		{"one less there", 3, []int{2}, nil, sched.Forward, "a", sched.ReasonThereSooner},
		{"one less, by own sends as busy", 3, []int{2}, func(s *scene) { s.peer("a").OwnSends = 1 }, sched.Run, "", sched.ReasonHereSooner},
		{"sooner, within the margin", 1, []int{0}, func(s *scene) { s.peer("a").RTT = 80 * ms }, sched.Run, "", sched.ReasonHereSooner},
		{"sooner, beyond the margin", 1, []int{0}, func(s *scene) { s.peer("a").RTT = 70 * ms }, sched.Forward, "a", sched.ReasonThereSooner},
		{"its account of a short wait does not count", 3, []int{9}, func(s *scene) { s.peer("a").Load.Wait = 10 * ms }, sched.Run, "", sched.ReasonHereSooner},
		{"asleep there", 3, []int{0}, func(s *scene) { s.peer("a").Warm, s.peer("a").Cold = false, time.Second },
			sched.Run, "", sched.ReasonHereSooner},
		{"asleep there, but long to wait here", 30, []int{0}, func(s *scene) { s.peer("a").Warm, s.peer("a").Cold = false, time.Second },
			sched.Forward, "a", sched.ReasonThereSooner},
		{"slow there", 2, []int{0}, func(s *scene) { s.peer("a").Service.Mean = time.Second }, sched.Run, "", sched.ReasonHereSooner},
		{"alone", 5, nil, nil, sched.Run, "", sched.ReasonOnlyHere},
		{"only the origin", 5, []int{0}, func(s *scene) { s.came("a") }, sched.Run, "", sched.ReasonOnlyHere},
		{"too old", 5, []int{0}, func(s *scene) { s.peer("a").Sampled -= 11 * time.Second }, sched.Run, "", sched.ReasonOnlyHere},
		{"failing", 5, []int{0}, func(s *scene) { s.peer("a").Health = 0 }, sched.Run, "", sched.ReasonOnlyHere},
		{"hardly to be trusted", 3, []int{0}, func(s *scene) { s.peer("a").Honesty = 0.2 }, sched.Run, "", sched.ReasonHereSooner},
		{"full", 9, []int{30}, func(s *scene) { s.self().Room = false }, sched.Forward, "a", sched.ReasonNoRoomHere},
		{"full and alone", 9, nil, func(s *scene) { s.self().Room = false }, sched.Refuse, "", sched.ReasonFull},
		{"not deployed", 0, []int{30}, func(s *scene) { s.self().Deployed = false }, sched.Forward, "a", sched.ReasonNotDeployed},
		{"not deployed anywhere", 0, nil, func(s *scene) { s.self().Deployed = false }, sched.Refuse, "", sched.ReasonNotDeployed},
		{"nested", 9, []int{0}, func(s *scene) { s.request.Nested, s.self().Room = true, false }, sched.Run, "", sched.ReasonNested},
		{"nested, not deployed", 0, []int{0}, func(s *scene) { s.request.Nested, s.self().Deployed = true, false },
			sched.Forward, "a", sched.ReasonNotDeployed},
	})
}

func TestSpreadV1Score(t *testing.T) {
	s := newScene(2, 0)
	d := newPolicy(t, "spread-v1", nil).Decide(s.view, s.request)
	if math.Abs(d.Score.Here-0.3) > 1e-9 || math.Abs(d.Score.There-0.102) > 1e-9 {
		t.Errorf("score %+v, want 0.3 s here and 0.102 s there", d.Score)
	}
	s.self().Room = false
	if d := newPolicy(t, "spread-v1", nil).Decide(s.view, s.request); d.Score.Here != 0 {
		t.Errorf("score %+v of a full node, want 0 here", d.Score)
	}
}

func TestSpreadV1Rule3Draw(t *testing.T) {
	cases := []struct {
		name   string
		peers  []int
		change func(s *scene)
		want   map[peer.ID]float64
	}{
		{"equal peers share", []int{0, 0}, nil, map[peer.ID]float64{"a": 0.5, "b": 0.5}},
		// Level: 10 (h - .102) = 1, below b's floor of .302.
		{"a busy one stays dry", []int{0, 2}, nil, map[peer.ID]float64{"a": 1}},
		{"health and honesty weigh", []int{0, 0}, func(s *scene) { s.peer("b").Health, s.peer("b").Honesty = 0.5, 0.8 },
			map[peer.ID]float64{"a": 1 / 1.4, "b": 0.4 / 1.4}},
		// Floors .102 - .1 with width 20 and .102 with width 10: 20 (h - .002) = 1 gives h = .052.
		{"free servers draw", []int{0, 0}, func(s *scene) { s.peer("b").Load.Servers = 2 }, map[peer.ID]float64{"b": 1}},
		// Three forwards a second each, all 4 s old: .25 x 6 x 4 = 6 invocations of water.
		// 10 (h - .102) + 10 (h - .302) = 6 gives h = .502: 4 and 2.
		{"unseen forwards spread wider", []int{0, 2}, func(s *scene) {
			for _, name := range []string{"a", "b"} {
				s.peer(name).Load.Out = 3
				s.peer(name).Sampled -= 4 * time.Second
			}
		}, map[peer.ID]float64{"a": 2.0 / 3, "b": 1.0 / 3}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(20, c.peers...)
			if c.change != nil {
				c.change(s)
			}
			got := shares(t, newPolicy(t, "spread-v1", nil), s)
			for _, id := range []peer.ID{"a", "b"} {
				if math.Abs(got[id]-c.want[id]) > 0.02 {
					t.Errorf("share of %s is %.3f, want %.3f", id, got[id], c.want[id])
				}
			}
		})
	}
}

func TestSpreadV1Rule5Pull(t *testing.T) {
	s := newScene(0, 1, 4, 3)
	p := newPolicy(t, "spread-v1", nil).(sched.Puller)
	for i := range 2 {
		ask, _, ok := p.Idle(s.view)
		if !ok || ask.Peer != "b" || ask.Passes != 0 {
			t.Fatalf("ask %d: %+v, %t; want b, who has the longest queue, and no passing on", i+1, ask, ok)
		}
		p.Pulled(sched.PullEnd{Now: s.view.Now, Messages: 2})
	}
	if _, again, ok := p.Idle(s.view); ok || again != 100*ms {
		t.Errorf("a third ask: %t, again in %v, want a pause of one service", ok, again)
	}
	if _, _, ok := newPolicy(t, "spread-v1", nil).(sched.Puller).Idle(newScene(0, 1, 1).view); ok {
		t.Error("asks though nobody is known to queue")
	}
}

func TestSpreadV1Rule7Refuse(t *testing.T) {
	overloaded := func(s *scene) { s.request.Deadline, s.view.MeshUtilisation = 150*ms, 1.1 }
	testRulings(t, "spread-v1", nil, []ruling{
		{"hopeless here and there", 3, []int{3}, overloaded, sched.Refuse, "", sched.ReasonHopeless},
		{"a peer is idle", 3, []int{0}, overloaded, sched.Forward, "a", sched.ReasonThereSooner},
		{"hopeless, but the mesh is not overloaded", 3, []int{3}, func(s *scene) { s.request.Deadline = 150 * ms },
			sched.Run, "", sched.ReasonHereSooner},
		{"time enough", 3, []int{3}, func(s *scene) { overloaded(s); s.request.Deadline = 10 * time.Second },
			sched.Run, "", sched.ReasonHereSooner},
	})
}

func TestSpreadV1Rule8Probe(t *testing.T) {
	p := newPolicy(t, "spread-v1", map[string]string{"probe": "2"})
	s := newScene(9, 2, 3, 4)
	d := p.Decide(s.view, s.request)
	if d.Action != sched.Probe || len(d.Probes) != 2 {
		t.Fatalf("%v of %q, want two probed", d.Action, d.Probes)
	}
	s.request.Round, s.request.Probed = 1, []peer.ID{"b", "c"}
	if d := p.Decide(s.view, s.request); d.Action != sched.Forward || d.Peer != "b" {
		t.Errorf("%v %q once b and c have answered, want b, the better of them", d.Action, d.Peer)
	}
	s = newScene(9, 0, 3)
	if d := p.Decide(s.view, s.request); d.Action != sched.Forward || d.Peer != "a" {
		t.Errorf("%v %q though a is known to be idle", d.Action, d.Peer)
	}
}

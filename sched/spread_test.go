package sched_test

import (
	"math"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

const ms = time.Millisecond

// scene is one decision to be made, starting from a sound default: a node with
// one server and 100 ms of service, and peers "a", "b", … of the same kind 2 ms away.
type scene struct {
	view    *sched.View
	request *sched.Request
}

// newScene has a node with so many invocations and one peer for each further number.
func newScene(own int, peers ...int) *scene {
	var neighbours []sched.Neighbour
	for i, load := range peers {
		neighbours = append(neighbours, schedtest.Neighbour(string(rune('a'+i)), 2*ms, 1, load, 100*ms))
	}
	return &scene{schedtest.View(1, schedtest.Self(1, own, 100*ms), neighbours...), schedtest.Request()}
}

func (s *scene) self() *sched.Self { return &s.view.Self }

func (s *scene) peer(name string) *sched.Neighbour { return s.view.Neighbour(schedtest.ID(name)) }

// came says along which nodes the invocation came.
func (s *scene) came(along ...string) { s.request = schedtest.Request(along...) }

type ruling struct {
	name   string
	own    int
	peers  []int
	change func(s *scene)
	action sched.Action
	peer   peer.ID
	why    sched.Reason
}

func testRulings(t *testing.T, policy string, set map[string]string, rulings []ruling) {
	t.Helper()
	for _, c := range rulings {
		t.Run(policy+"/"+c.name, func(t *testing.T) {
			s := newScene(c.own, c.peers...)
			if c.change != nil {
				c.change(s)
			}
			d := newPolicy(t, policy, set).Decide(s.view, s.request)
			if d.Action != c.action || d.Peer != c.peer || d.Reason != c.why {
				t.Errorf("%v %q (%v, %+v), want %v %q (%v)", d.Action, d.Peer, d.Reason, d.Score, c.action, c.peer, c.why)
			}
		})
	}
}

// bothSpreads are the two forms of the default, and the name of each one's margin. They
// have these rules in common.
func bothSpreads() map[string]string {
	return map[string]string{"spread": "finish", "spread-v1": "margin"}
}

func TestBothSpreadsFreeServer(t *testing.T) {
	for policy := range bothSpreads() {
		testRulings(t, policy, nil, []ruling{
			{"free", 0, []int{0}, nil, sched.Run, "", sched.ReasonFreeServer},
			{"free, alone", 0, nil, nil, sched.Run, "", sched.ReasonFreeServer},
			{"free, a little slower", 0, []int{0}, func(s *scene) { s.self().Service.Mean = 111 * ms }, sched.Run, "", sched.ReasonFreeServer},
			{"free, much slower", 0, []int{0}, func(s *scene) { s.self().Service.Mean = 200 * ms }, sched.Forward, "a", sched.ReasonThereSooner},
			{"free, much slower, but the fast one is busy", 0, []int{3}, func(s *scene) { s.self().Service.Mean = 200 * ms },
				sched.Run, "", sched.ReasonFreeServer},
			{"free, much slower, but the fast one is far", 0, []int{0}, func(s *scene) {
				s.self().Service.Mean = 200 * ms
				s.peer("a").RTT = 150 * ms
			}, sched.Run, "", sched.ReasonFreeServer},
			{"free, much slower, but no hop is left", 0, []int{0}, func(s *scene) {
				s.self().Service.Mean = 200 * ms
				s.came("x", "y", "z")
			}, sched.Run, "", sched.ReasonHopLimit},
			{"free and never measured", 0, []int{0}, func(s *scene) { s.self().Service = sched.Service{} },
				sched.Run, "", sched.ReasonFreeServer},
			{"free, nobody measured", 0, []int{0}, func(s *scene) {
				s.self().Service = sched.Service{}
				s.peer("a").Service = sched.Service{}
			}, sched.Run, "", sched.ReasonFreeServer},
			{"free, never measured, a slow machine", 0, []int{0}, func(s *scene) {
				s.self().Service = sched.Service{}
				s.self().Load.Speed = 3
			}, sched.Forward, "a", sched.ReasonThereSooner},
			{"free but asleep", 0, []int{0}, func(s *scene) { s.self().Warm, s.self().Cold = false, 2*time.Second },
				sched.Forward, "a", sched.ReasonThereSooner},
			{"free, all asleep", 0, []int{0}, func(s *scene) {
				s.self().Warm, s.self().Cold = false, 2*time.Second
				s.peer("a").Warm, s.peer("a").Cold = false, 2*time.Second
			}, sched.Run, "", sched.ReasonFreeServer},
			{"asleep without a cold start", 0, []int{0}, func(s *scene) { s.self().Warm = false }, sched.Run, "", sched.ReasonFreeServer},
		})
	}
}

// Without finish only unequal keeps the invocation: 130 ms here are more than
// 100 ms and 25 ms of way, yet less than 1.1 times 100 ms and the way.
func TestBothSpreadsCountsTheWay(t *testing.T) {
	for policy, margin := range bothSpreads() {
		slower := func(s *scene) { s.self().Service.Mean, s.peer("a").RTT = 130*ms, 25*ms }
		testRulings(t, policy, map[string]string{margin: "0"}, []ruling{
			{"unequal 1.1", 0, []int{0}, slower, sched.Run, "", sched.ReasonFreeServer},
		})
		testRulings(t, policy, map[string]string{margin: "0", "unequal": "1"}, []ruling{
			{"unequal 1", 0, []int{0}, slower, sched.Forward, "a", sched.ReasonThereSooner},
		})
	}
}

func TestBothSpreadsHopLimit(t *testing.T) {
	for policy := range bothSpreads() {
		testRulings(t, policy, nil, []ruling{
			{"one hop is left", 9, []int{0}, func(s *scene) { s.came("x", "y") }, sched.Forward, "a", sched.ReasonThereSooner},
			{"none is left", 9, []int{0}, func(s *scene) { s.came("x", "y", "z") }, sched.Run, "", sched.ReasonHopLimit},
			{"none is left, a server is free", 0, []int{0}, func(s *scene) { s.came("x", "y", "z") }, sched.Run, "", sched.ReasonFreeServer},
			{"none is left, no room", 9, []int{0}, func(s *scene) {
				s.came("x", "y", "z")
				s.self().Room = false
			}, sched.Refuse, "", sched.ReasonFull},
			{"none is left, not deployed", 0, []int{0}, func(s *scene) {
				s.came("x", "y", "z")
				s.self().Deployed = false
			}, sched.Refuse, "", sched.ReasonNotDeployed},
		})
		testRulings(t, policy, map[string]string{"hops": "1"}, []ruling{
			{"set to one, none is left", 9, []int{0}, func(s *scene) { s.came("x") }, sched.Run, "", sched.ReasonHopLimit},
		})
	}
}

func TestSpreadRule5Finish(t *testing.T) {
	testRulings(t, "spread", nil, []ruling{
		{"a peer is idle", 1, []int{0}, nil, sched.Forward, "a", sched.ReasonThereSooner},
		{"as busy", 2, []int{2}, nil, sched.Run, "", sched.ReasonHereSooner},
		{"one less there", 3, []int{2}, nil, sched.Forward, "a", sched.ReasonThereSooner},
		{"one less, by own sends as busy", 3, []int{2}, func(s *scene) { s.peer("a").OwnSends, s.peer("a").OwnWork = 1, 100*ms }, sched.Run, "", sched.ReasonHereSooner},
		{"sooner, within the margin", 1, []int{0}, func(s *scene) { s.peer("a").RTT = 80 * ms }, sched.Run, "", sched.ReasonHereSooner},
		{"sooner, beyond the margin", 1, []int{0}, func(s *scene) { s.peer("a").RTT = 70 * ms }, sched.Forward, "a", sched.ReasonThereSooner},
		{"short wait by its account", 3, []int{9}, func(s *scene) { s.peer("a").Load.Wait = 10 * ms }, sched.Forward, "a", sched.ReasonThereSooner},
		{"long wait by its account", 3, []int{1}, func(s *scene) { s.peer("a").Load.Wait = time.Second }, sched.Run, "", sched.ReasonHereSooner},
		{"own wait is nearly over", 1, []int{0}, func(s *scene) { s.self().Residual, s.self().Load.Wait = 5*ms, 5*ms }, sched.Run, "", sched.ReasonHereSooner},
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

func TestSpreadScore(t *testing.T) {
	s := newScene(2, 0)
	d := newPolicy(t, "spread", nil).Decide(s.view, s.request)
	if math.Abs(d.Score.Here-0.3) > 1e-9 || math.Abs(d.Score.There-0.102) > 1e-9 {
		t.Errorf("score %+v, want 0.3 s here and 0.102 s there", d.Score)
	}
	s.self().Room = false
	if d := newPolicy(t, "spread", nil).Decide(s.view, s.request); d.Score.Here != 0 {
		t.Errorf("score %+v of a full node, want 0 here", d.Score)
	}
}

// shares decides often and counts where to.
func shares(t *testing.T, p sched.Policy, s *scene) map[peer.ID]float64 {
	t.Helper()
	const times = 20_000
	got := map[peer.ID]float64{}
	for range times {
		d := p.Decide(s.view, s.request)
		if d.Action != sched.Forward {
			t.Fatalf("%v (%v, %+v)", d.Action, d.Reason, d.Score)
		}
		got[d.Peer] += 1.0 / times
	}
	return got
}

func TestSpreadRule5Draw(t *testing.T) {
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
		{"servers draw", []int{0, 0}, func(s *scene) { s.peer("b").Load.Servers = 2 }, map[peer.ID]float64{"a": 1.0 / 3, "b": 2.0 / 3}},
		// 600 forwards a second each, all 20 ms old: .5 x 1200 x .02 = 12 invocations of
		// water. What is left of b's 200 ms is exp(-.1) x 190 ms = 172 ms:
		// 10 (h - .102) + 10 (h - .274) = 12 gives h = .788: 6.86 and 5.14.
		{"unseen forwards spread wider", []int{0, 2}, func(s *scene) {
			for _, name := range []string{"a", "b"} {
				s.peer(name).Load.Out = 600
				s.peer(name).Sampled -= 20 * ms
			}
		}, map[peer.ID]float64{"a": 0.572, "b": 0.428}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(20, c.peers...)
			if c.change != nil {
				c.change(s)
			}
			got := shares(t, newPolicy(t, "spread", nil), s)
			for _, id := range []peer.ID{"a", "b"} {
				if math.Abs(got[id]-c.want[id]) > 0.02 {
					t.Errorf("share of %s is %.3f, want %.3f", id, got[id], c.want[id])
				}
			}
		})
	}
}

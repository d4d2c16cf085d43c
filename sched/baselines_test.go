package sched_test

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func TestBaselinesConform(t *testing.T) {
	master := real("a").String()
	cases := []struct {
		name, policy string
		set          map[string]string
	}{
		{"forward", "forward", nil},
		{"forward three times, local first", "forward", map[string]string{"hops": "3", "free": "true"}},
		{"jiq", "jiq", nil},
		{"jiq as published", "jiq", map[string]string{"random": "true", "free": "false"}},
		{"jsq-d", "jsq-d", nil},
		{"jsq-d wide", "jsq-d", map[string]string{"d": "64", "hops": "16"}},
		{"least-loaded", "least-loaded", nil},
		{"least-loaded of two, without own sends", "least-loaded", map[string]string{"d": "2", "own": "false", "free": "false"}},
		{"local with loss", "local", map[string]string{"loss": "true"}},
		{"peak-ewma", "peak-ewma", nil},
		{"power-of-n-tau", "power-of-n-tau", map[string]string{"tau": "200ms", "t": "0", "hops": "3"}},
		{"prequal", "prequal", nil},
		{"prequal with little", "prequal", map[string]string{"rate": "0.5", "pool": "2", "hot": "0", "free": "false"}},
		{"random", "random", nil},
		{"reject", "reject", nil},
		{"round-robin", "round-robin", map[string]string{"hops": "2"}},
		{"round-robin-master", "round-robin-master", map[string]string{"master": master}},
		{"split", "split", map[string]string{"hops": "3"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			schedtest.Run(t, func(t *testing.T) sched.Policy { return newPolicy(t, c.policy, c.set) })
		})
	}
}

func TestBaselineRulings(t *testing.T) {
	busy := func(s *scene) { s.self().Free = false }
	cases := []struct {
		policy  string
		set     map[string]string
		rulings []ruling
	}{
		{"local", map[string]string{"loss": "true"}, []ruling{
			{"with loss", 1, []int{0}, nil, sched.Refuse, "", sched.ReasonFull},
			{"with loss, free", 0, []int{0}, nil, sched.Run, "", sched.ReasonFreeServer},
		}},
		{"forward", nil, []ruling{
			{"always", 0, []int{5}, nil, sched.Forward, "a", sched.ReasonDrawn},
			{"came already", 0, []int{5}, func(s *scene) { s.came("x") }, sched.Run, "", sched.ReasonHopLimit},
			{"alone", 0, nil, nil, sched.Run, "", sched.ReasonOnlyHere},
			{"nested", 0, []int{5}, func(s *scene) { s.request.Nested = true }, sched.Run, "", sched.ReasonNested},
			{"to nobody who fails", 0, []int{5}, func(s *scene) { s.peer("a").Health = 0 }, sched.Run, "", sched.ReasonOnlyHere},
		}},
		{"reject", nil, []ruling{{"always", 0, []int{0}, nil, sched.Refuse, "", sched.ReasonAlways}}},
		{"least-loaded", nil, []ruling{
			{"free here", 0, []int{0}, nil, sched.Run, "", sched.ReasonFreeServer},
			{"the least", 3, []int{2, 1, 4}, busy, sched.Forward, "b", sched.ReasonLessLoaded},
			{"here is least", 1, []int{1, 4}, busy, sched.Run, "", sched.ReasonNoneLess},
			{"own sends count", 2, []int{1}, and(busy, func(s *scene) { s.peer("a").OwnSends = 1 }), sched.Run, "", sched.ReasonNoneLess},
			{"by server", 2, []int{3}, and(busy, func(s *scene) { s.peer("a").Load.Servers = 4 }), sched.Forward, "a", sched.ReasonLessLoaded},
		}},
		{"least-loaded", map[string]string{"own": "false"}, []ruling{
			{"own sends do not count", 2, []int{1}, and(busy, func(s *scene) { s.peer("a").OwnSends = 1 }), sched.Forward, "a", sched.ReasonLessLoaded},
		}},
		{"jsq-d", nil, []ruling{
			{"probes", 1, []int{0, 0, 0}, nil, sched.Probe, "", sched.ReasonProbing},
			{"the shorter of two", 0, []int{3, 2}, probed("a", "b"), sched.Forward, "b", sched.ReasonLessLoaded},
			{"one asked: this one is the other", 1, []int{3, 2}, probed("a"), sched.Run, "", sched.ReasonNoneLess},
			{"nobody answered", 1, []int{3}, probed(), sched.Run, "", sched.ReasonProbesFailed},
			{"nobody answered, not deployed", 1, []int{3}, and(notDeployed, probed()), sched.Forward, "a", sched.ReasonProbesFailed},
		}},
		{"power-of-n-tau", map[string]string{"tau": "200ms"}, []ruling{
			{"probes", 1, []int{0, 0}, nil, sched.Probe, "", sched.ReasonProbing},
			{"waits", 1, []int{0, 0}, probed("a", "b"), sched.Wait, "", sched.ReasonLag},
			{"acts then", 1, []int{0, 1}, and(probed("a", "b"), func(s *scene) { s.request.Round = 2 }), sched.Forward, "a", sched.ReasonLessLoaded},
		}},
		{"jiq", nil, []ruling{
			{"no token", 2, []int{0}, busy, sched.Run, "", sched.ReasonNoToken},
			{"no token, not deployed", 2, []int{0}, notDeployed, sched.Forward, "a", sched.ReasonNoToken},
		}},
		{"prequal", nil, []ruling{
			{"free here", 0, []int{0}, nil, sched.Run, "", sched.ReasonFreeServer},
		}},
	}
	for _, c := range cases {
		t.Run(c.policy, func(t *testing.T) { testRulings(t, c.policy, c.set, c.rulings) })
	}
}

// tally counts where n invocations go; "" is here.
func tally(p sched.Policy, v *sched.View, n int) map[peer.ID]int {
	count := make(map[peer.ID]int)
	for range n {
		count[p.Decide(v, schedtest.Request()).Peer]++
	}
	return count
}

func within(t *testing.T, what string, got, low, high int) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %d, want %d to %d", what, got, low, high)
	}
}

func loadedScene(own int, loads ...int) *sched.View {
	s := newScene(own, loads...)
	return s.view
}

func TestRandomIsEven(t *testing.T) {
	got := tally(newPolicy(t, "random", nil), loadedScene(0, 9, 0, 5), 4000)
	for id, n := range got {
		within(t, "sent to "+string(id), n, 850, 1150)
	}
	if len(got) != 4 {
		t.Errorf("%d nodes were drawn, want 4", len(got))
	}
}

func TestRoundRobinTakesAllInTurn(t *testing.T) {
	p, v := newPolicy(t, "round-robin", nil), loadedScene(0, 9, 0, 5)
	for round := range 3 {
		for id, n := range tally(p, v, 4) {
			if n != 1 {
				t.Errorf("round %d: %q had %d turns", round, id, n)
			}
		}
	}
}

// real is a peer ID that can be written and read, as master wants it.
func real(name string) peer.ID { return peer.ID("\x00\x01" + name) }

func TestMasterHandsOutToOthersOnly(t *testing.T) {
	v := loadedScene(0, 9, 0, 5)
	v.Self.ID = real("m")
	p := newPolicy(t, "round-robin-master", map[string]string{"master": v.Self.ID.String()})
	if got := tally(p, v, 6); got[""] != 0 || len(got) != 3 {
		t.Errorf("handed out as %v", got)
	}
	p = newPolicy(t, "round-robin-master", map[string]string{"master": v.Self.ID.String(), "serves": "true"})
	if got := tally(p, v, 8); got[""] != 2 || len(got) != 4 {
		t.Errorf("a master that serves handed out as %v", got)
	}
}

func TestOthersSendToTheMasterAndRunWhatItHandsOut(t *testing.T) {
	s := newScene(0, 0, 0)
	s.view.Neighbours[0].ID = real("m")
	p := newPolicy(t, "round-robin-master", map[string]string{"master": real("m").String()})
	if d := p.Decide(s.view, s.request); d.Peer != real("m") || d.Reason != sched.ReasonMaster {
		t.Errorf("what arrives goes to %q (%v)", d.Peer, d.Reason)
	}
	handed := schedtest.Request()
	handed.Hops, handed.Visited = 1, []peer.ID{real("m")}
	if d := p.Decide(s.view, handed); d.Action != sched.Run || d.Reason != sched.ReasonTurn {
		t.Errorf("what is handed out: %v (%v)", d.Action, d.Reason)
	}
	s.view.Neighbours = s.view.Neighbours[1:]
	if d := p.Decide(s.view, s.request); d.Action != sched.Run || d.Reason != sched.ReasonOnlyHere {
		t.Errorf("without a master: %v (%v)", d.Action, d.Reason)
	}
}

func TestSplitSendsItsSurplusWhereThereIsRoom(t *testing.T) {
	v := loadedScene(0, 0, 0, 0)
	v.OwnRate = 30 // of 40 in all: 20 too many
	for i, rate := range []float64{0, 5, 5} {
		v.Neighbours[i].Load.Rate = rate
	}
	got := tally(newPolicy(t, "split", nil), v, 6000)
	within(t, "kept", got[""], 1800, 2200)
	within(t, "to the idlest", got[v.Neighbours[0].ID], 1800, 2200)
	within(t, "to the second", got[v.Neighbours[1].ID], 850, 1150)
}

func TestJIQUsesATokenOnce(t *testing.T) {
	v := loadedScene(3, 9, 9)
	v.Self.Free = false
	p := newPolicy(t, "jiq", nil).(sched.Puller)
	p.Pass(v, sched.Pull{From: v.Neighbours[1].ID, Notice: true})
	if got := tally(p, v, 3); got[v.Neighbours[1].ID] != 1 || got[""] != 2 {
		t.Errorf("with one token: %v", got)
	}
	p.Pass(v, sched.Pull{From: v.Neighbours[1].ID, Notice: true})
	v.Now += time.Minute
	if got := tally(p, v, 1); got[""] != 1 {
		t.Errorf("with an old token: %v", got)
	}
	ask, _, ok := p.Idle(v)
	if !ok || !ask.Notice {
		t.Errorf("idle: %+v, %t", ask, ok)
	}
	if _, _, ok := p.Idle(v); ok {
		t.Error("tells twice that it is idle")
	}
	p.Served(v.Now)
	if _, _, ok := p.Idle(v); !ok {
		t.Error("does not tell that it is idle again")
	}
}

func TestPrequalChoosesColdAndFast(t *testing.T) {
	v := loadedScene(3, 0, 0, 0)
	v.Self.Free = false
	p := newPolicy(t, "prequal", map[string]string{"remove": "0", "hot": "0.5"})
	d := p.Decide(v, schedtest.Request())
	if len(d.Probes) != 3 || d.ProbesFor != sched.ProbesForLater {
		t.Fatalf("first decision %+v", d)
	}
	loads := []sched.Load{{Running: 1, Servers: 1, Wait: 50 * ms}, {Running: 1, Servers: 1, Wait: 10 * ms}, {Running: 8, Servers: 1, Wait: 1 * ms}}
	for i, l := range loads {
		p.(sched.Notified).Report(sched.News{Of: v.Neighbours[i].ID, Load: l, Sampled: v.Now, Now: v.Now, Via: sched.ViaMessage})
	}
	if d := p.Decide(v, schedtest.Request()); d.Peer != v.Neighbours[1].ID || d.Reason != sched.ReasonLatency {
		t.Errorf("goes to %q (%v), want the cold one of least latency", d.Peer, d.Reason)
	}
	v.Now += 2 * time.Second
	if d := p.Decide(v, schedtest.Request()); d.Reason != sched.ReasonDrawn {
		t.Errorf("uses answers that are 2 s old: %v", d.Reason)
	}
}

func TestPeakEWMAAvoidsWhoWasSlow(t *testing.T) {
	v := loadedScene(3, 0, 0)
	v.Self.Free = false
	p := newPolicy(t, "peak-ewma", nil)
	for i, took := range []time.Duration{2 * time.Second, 20 * ms} {
		for range 20 {
			v.Now += time.Second
			p.(sched.Observer).Observe(sched.Outcome{Decision: sched.Decision{Action: sched.Forward, Peer: v.Neighbours[i].ID}, Result: sched.Answered, Response: took})
		}
	}
	v.Now += time.Second
	got := make(map[peer.ID]int)
	for range 300 {
		d := p.Decide(v, schedtest.Request())
		got[d.Peer]++
		p.(sched.Observer).Observe(sched.Outcome{Decision: d, Result: sched.Cancelled})
	}
	if slow, fast := got[v.Neighbours[0].ID], got[v.Neighbours[1].ID]; slow*3 > fast {
		t.Errorf("slow got %d, fast %d", slow, fast)
	}
}

package mesh

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

var _ Host = (*host.Host)(nil)

// member is one node of a live mesh, on real connections.
type member struct {
	*plain
	*Mesh
	mu       sync.Mutex
	self     sched.Load
	funcs    []Function
	draining bool
}

func newMember(t *testing.T, period time.Duration, functions ...Function) *member {
	t.Helper()
	return newMemberWith(t, Config{Period: period}, functions...)
}

// newMemberWith makes one with what cfg says besides what all tests have.
func newMemberWith(t *testing.T, cfg Config, functions ...Function) *member {
	t.Helper()
	h := newPlain(t, libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	m := &member{plain: h, self: sched.Load{Servers: 2, Speed: 1}, funcs: functions}
	cfg.Host, cfg.Mesh, cfg.Incarnation = h, "test", 1
	cfg.Self = func() sched.Load { m.mu.Lock(); defer m.mu.Unlock(); return m.self }
	cfg.Functions = func() []Function { m.mu.Lock(); defer m.mu.Unlock(); return m.funcs }
	cfg.Draining = func() bool { m.mu.Lock(); defer m.mu.Unlock(); return m.draining }
	mesh, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.Mesh = mesh
	server := control.NewServer(h.Host, control.Handlers{Functions: mesh.Functions}, nil)
	server.Start()
	t.Cleanup(func() { _ = server.Close() })
	t.Cleanup(func() { _ = mesh.Close() })
	if err = mesh.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *member) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *member) id() peer.ID { return m.plain.ID() }

func (m *member) candidates(function string) (ids []peer.ID) {
	for _, n := range m.Fill(nil, function, [8]byte{}) {
		ids = append(ids, n.ID)
	}
	return ids
}

func (m *member) believes(p peer.ID) (load sched.Load) {
	for _, s := range m.Peers() {
		if s.ID == p {
			load = s.Load
		}
	}
	return load
}

// meet connects all with all, as the host does when they have said hello.
func meet(t *testing.T, ms ...*member) {
	t.Helper()
	for i, a := range ms {
		for _, b := range ms[:i] {
			connect(t, a.Host, b.Host)
			a.tell(host.Event{Peer: b.id(), Joined: true, Member: host.Member{Incarnation: 1}, News: load.News{Has: true, Sender: b.Report()}})
			b.tell(host.Event{Peer: a.id(), Joined: true, Member: host.Member{Incarnation: 1}, News: load.News{Has: true, Sender: a.Report()}})
		}
	}
}

func TestMeshLearnsFunctionsAndDistances(t *testing.T) {
	a, b, c := newMember(t, time.Hour, fn("resize", 1)), newMember(t, time.Hour, fn("resize", 1), fn("thumb", 2)), newMember(t, time.Hour)
	meet(t, a, b, c)
	eventually(t, "a and c see what b runs", func() bool {
		return slices.Equal(a.candidates("thumb"), []peer.ID{b.id()}) && len(c.candidates("resize")) == 2
	})
	n := a.Fill(nil, "thumb", [8]byte{2})[0]
	if n.Service != fn("thumb", 2).Service || !n.Warm {
		t.Errorf("of the function: %+v", n)
	}
	eventually(t, "distances measured", func() bool { n := a.Fill(nil, "thumb", [8]byte{2}); return len(n) == 1 && n[0].RTT > 0 })
	b.set(func() { b.funcs = []Function{fn("resize", 1), fn("fresh", 1)} })
	b.FunctionsChanged()
	eventually(t, "the change is seen without waiting for the next period", func() bool {
		return len(a.candidates("fresh")) == 1 && len(a.Has("thumb")) == 0
	})
}

func TestMeshProbe(t *testing.T) {
	a, b, gone := newMember(t, time.Hour), newMember(t, time.Hour), newMember(t, time.Hour)
	meet(t, a, b)
	a.tell(host.Event{Peer: gone.id(), Joined: true}) // but there is no connection
	b.set(func() { b.self = sched.Load{Wait: 70 * ms, Running: 2, Servers: 2, Speed: 1} })
	eventually(t, "b answers a probe", func() bool {
		return slices.Equal(a.Probe(context.Background(), []peer.ID{gone.id(), b.id()}), []peer.ID{b.id()})
	})
	if got := a.believes(b.id()); got.Wait != 70*ms || got.Running != 2 {
		t.Fatalf("after the probe a believes %+v", got)
	}
	if got := b.believes(a.id()); got.Servers != 2 {
		t.Fatalf("b did not hear who asked: %+v", got)
	}
}

func TestMeshGossips(t *testing.T) {
	ms5 := make([]*member, 5)
	for i := range ms5 {
		ms5[i] = newMember(t, 300*time.Millisecond, fn("resize", 1))
	}
	meet(t, ms5...)
	first := ms5[0]
	heard := func(ok func(l sched.Load) bool) func() bool {
		return func() bool {
			return !slices.ContainsFunc(ms5[1:], func(m *member) bool { return !ok(m.believes(first.id())) })
		}
	}
	first.set(func() { first.self = sched.Load{Wait: time.Second, Running: 2, Queued: 9, Servers: 2, Speed: 1} })
	eventually(t, "all hear of a new load", heard(func(l sched.Load) bool { return l.Queued == 9 }))
	eventually(t, "five nodes are four candidates to each", func() bool {
		return !slices.ContainsFunc(ms5, func(m *member) bool { return len(m.candidates("resize")) != 4 })
	})
	first.set(func() { first.draining = true })
	eventually(t, "who drains is no candidate", func() bool {
		return !slices.ContainsFunc(ms5[1:], func(m *member) bool { return slices.Contains(m.candidates("resize"), first.id()) })
	})
	if err := ms5[1].Mesh.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "who left is no candidate", func() bool {
		return !slices.ContainsFunc(ms5[2:], func(m *member) bool { return slices.Contains(m.candidates("resize"), ms5[1].id()) })
	})
	ms5[2].tell(host.Event{Peer: ms5[1].id()})
	if len(ms5[2].Peers()) != 3 {
		t.Fatalf("%d members after one left, want 3", len(ms5[2].Peers()))
	}
}

// A neighbour whose answers are nonsense is asked seldom, and harms nothing.
func TestMeshSurvivesAHostileNeighbour(t *testing.T) {
	a, b := newMember(t, time.Hour), newMember(t, time.Hour, fn("resize", 1))
	villain := newPlain(t, libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	var mu sync.Mutex
	asked := 0
	for _, id := range []string{string(load.ID), string(control.ID)} {
		villain.SetStreamHandler(protocol.ID(id), func(s network.Stream) {
			mu.Lock()
			asked++
			mu.Unlock()
			_, _ = s.Write([]byte{0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3})
			_ = s.Close()
		})
	}
	connect(t, a.Host, villain.Host)
	a.tell(host.Event{Peer: villain.ID(), Joined: true, Member: host.Member{Incarnation: 1},
		News: load.News{Has: true, Sender: load.Report{Incarnation: 1, Counter: 1, Functions: 4, Speed: 1}}})
	meet(t, a, b)
	eventually(t, "the honest neighbour is a candidate", func() bool { return len(a.candidates("resize")) == 1 })
	eventually(t, "the villain was asked", func() bool { mu.Lock(); defer mu.Unlock(); return asked >= 2 })
	a.mu.Lock()
	defer a.mu.Unlock()
	mu.Lock()
	defer mu.Unlock()
	if asked > 20 {
		t.Fatalf("asked %d times at once", asked)
	}
}

func TestMeshEnds(t *testing.T) {
	a := newMember(t, time.Hour)
	if err := a.Mesh.Start(context.Background()); err == nil {
		t.Fatal("started twice")
	}
	for range 2 {
		if err := a.Mesh.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Mesh.Start(context.Background()); err == nil {
		t.Fatal("started after Close")
	}
	never, err := New(Config{Host: newPlain(t, libp2p.NoListenAddrs), Mesh: "test", Incarnation: 1,
		Self: func() sched.Load { return sched.Load{} }, Functions: func() []Function { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err = never.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err = New(Config{}); err == nil {
		t.Fatal("an empty Config is accepted")
	}
}

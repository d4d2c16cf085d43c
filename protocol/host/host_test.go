package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is far above what anything here takes on an idle machine.
const patience = 30 * time.Second

// loopback are addresses on any free port.
func loopback(protocols ...string) []multiaddr.Multiaddr {
	var addrs []multiaddr.Multiaddr
	for _, p := range protocols {
		switch p {
		case "tcp":
			addrs = append(addrs, multiaddr.StringCast("/ip4/127.0.0.1/tcp/0"))
		case "quic":
			addrs = append(addrs, multiaddr.StringCast("/ip4/127.0.0.1/udp/0/quic-v1"))
		}
	}
	return addrs
}

// recorder keeps a host's events.
type recorder struct {
	mu     sync.Mutex
	events []Event
}

func (r *recorder) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) about(p peer.ID) (joined, left int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		switch {
		case e.Peer != p:
		case e.Joined:
			joined++
		default:
			left++
		}
	}
	return joined, left
}

func (r *recorder) last(p peer.ID) (last Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Peer == p {
			last = e
		}
	}
	return last
}

// testConfig is a host on loopback TCP that finds nobody by itself.
func testConfig(t testing.TB) Config {
	t.Helper()
	key, err := LoadIdentity(t.TempDir() + "/identity.key")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Default()
	cfg.Key, cfg.MDNS, cfg.Listen = key, false, loopback("tcp")
	return cfg
}

func startHost(t testing.TB, cfg Config) (*Host, *recorder) {
	t.Helper()
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	r := new(recorder)
	h.Subscribe(r.add)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h, r
}

// infoOf is how to dial h.
func infoOf(t testing.TB, h *Host) peer.AddrInfo {
	t.Helper()
	infos, err := peer.AddrInfosFromP2pAddrs(h.Addrs()...)
	if err != nil || len(infos) != 1 {
		t.Fatalf("addresses %v: %v", h.Addrs(), err)
	}
	return infos[0]
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func isMember(h *Host, p peer.ID) func() bool {
	return func() bool { _, ok := h.Access().Member(p); return ok }
}

func TestHelloBothWays(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		t.Run(transport, func(t *testing.T) {
			a, b := testConfig(t), testConfig(t)
			a.Listen, b.Listen = loopback(transport), loopback(transport)
			a.Hello = func() hello.Hello {
				return hello.Hello{Version: "1.2.3", Incarnation: 7, Zone: "attic", Capabilities: []string{"x"},
					Report: &load.Report{Incarnation: 7, Counter: 1, Wait: 250 * time.Millisecond, Servers: 4, Speed: 1}}
			}
			ha, ra := startHost(t, a)
			b.Bootstrap = []peer.AddrInfo{infoOf(t, ha)}
			hb, rb := startHost(t, b)
			eventually(t, "b joins at a", isMember(ha, hb.ID()))
			eventually(t, "a joins at b", func() bool { n, _ := rb.about(ha.ID()); return n == 1 })

			m, _ := hb.Access().Member(ha.ID())
			if m.Role != hello.Member || m.Version != "1.2.3" || m.Incarnation != 7 || m.Zone != "attic" || len(m.Capabilities) != 1 || m.Arch == "" {
				t.Errorf("member %+v", m)
			}
			e := rb.last(ha.ID())
			if !e.News.Has || e.News.Sender.Wait != 250*time.Millisecond || e.News.Sender.Servers != 4 {
				t.Errorf("news %+v", e.News)
			}
			if err := hb.Close(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "b leaves", func() bool { _, left := ra.about(hb.ID()); return left == 1 })
			if joined, left := ra.about(hb.ID()); joined != 1 || left != 1 {
				t.Errorf("a heard of %d joins and %d leaves, want one each", joined, left)
			}
			if joined, left := rb.about(ha.ID()); joined != 1 || left != 1 {
				t.Errorf("b heard of %d joins and %d leaves, want one each", joined, left)
			}
		})
	}
}

// Both dial at once, over and over: there may be two connections, but one member.
func TestMemberOnce(t *testing.T) {
	ha, ra := startHost(t, testConfig(t))
	hb, rb := startHost(t, testConfig(t))
	ia, ib := infoOf(t, ha), infoOf(t, hb)
	var wg sync.WaitGroup
	wg.Go(func() { _ = ha.Libp2p().Connect(t.Context(), ib) })
	wg.Go(func() { _ = hb.Libp2p().Connect(t.Context(), ia) })
	wg.Wait()
	eventually(t, "joined", func() bool {
		a, _ := ra.about(hb.ID())
		b, _ := rb.about(ha.ID())
		return a == 1 && b == 1
	})
	_ = ha.Close()
	eventually(t, "left", func() bool { _, left := rb.about(ha.ID()); return left == 1 })
	_ = hb.Close()
	for _, r := range []struct {
		rec *recorder
		p   peer.ID
	}{{ra, hb.ID()}, {rb, ha.ID()}} {
		if joined, left := r.rec.about(r.p); joined != 1 || left != 1 {
			t.Errorf("%d joins and %d leaves, want one each", joined, left)
		}
	}
}

func TestWrongMesh(t *testing.T) {
	a, b := testConfig(t), testConfig(t)
	b.Mesh = "other"
	ha, ra := startHost(t, a)
	hb, rb := startHost(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := hb.Connect(ctx, infoOf(t, ha))
	var refusal *hello.Refusal
	if !errors.As(err, &refusal) || refusal.Code != hello.WrongMesh {
		t.Fatalf("connecting to a host of another mesh: %v", err)
	}
	eventually(t, "the connection ends", func() bool { return len(ha.Libp2p().Network().Conns()) == 0 })
	if err := ha.Access().Allow(ctx, hb.ID(), VerbInvoke, ""); err == nil {
		t.Error("a host of another mesh may invoke")
	}
	for _, n := range []int{len(ra.events), len(rb.events)} {
		if n != 0 {
			t.Errorf("%d events about hosts of other meshes", n)
		}
	}
}

func TestReconnect(t *testing.T) {
	a := testConfig(t)
	ha, _ := startHost(t, a)
	b := testConfig(t)
	b.Bootstrap = []peer.AddrInfo{infoOf(t, ha)}
	hb, rb := startHost(t, b)
	eventually(t, "joined", isMember(hb, ha.ID()))
	a.Listen = []multiaddr.Multiaddr{multiaddr.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", ha.Port()))}
	_ = ha.Close()
	eventually(t, "left", func() bool { _, left := rb.about(ha.ID()); return left == 1 })
	startHost(t, a)
	eventually(t, "joined again", func() bool { joined, _ := rb.about(ha.ID()); return joined == 2 })
}

func TestNewLife(t *testing.T) {
	a := testConfig(t)
	ha, ra := startHost(t, a)
	b := testConfig(t)
	b.Hello = func() hello.Hello { return hello.Hello{Incarnation: 1} }
	old, _ := startHost(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := old.Connect(ctx, infoOf(t, ha)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "first life", isMember(ha, old.ID()))
	// The same node again, before the loss of the first shows.
	b.Hello = func() hello.Hello { return hello.Hello{Incarnation: 2} }
	reborn, _ := startHost(t, b)
	if _, err := reborn.Connect(ctx, infoOf(t, ha)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "second life", func() bool { joined, left := ra.about(old.ID()); return joined == 2 && left == 1 })
	if m, ok := ha.Access().Member(old.ID()); !ok || m.Incarnation != 2 {
		t.Errorf("member %+v, %v: want incarnation 2", m, ok)
	}
	eventually(t, "the old connection ends", func() bool { return len(old.Libp2p().Network().Conns()) == 0 })
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := testConfig(t)
	cfg.Listen, cfg.Port = nil, taken.Addr().(*net.TCPAddr).Port
	h, _ := startHost(t, cfg)
	if h.Port() == cfg.Port || h.Port() == 0 {
		t.Fatalf("port %d although %d is taken", h.Port(), cfg.Port)
	}
	for _, a := range h.Libp2p().Network().ListenAddresses() {
		if portOf(a) != h.Port() {
			t.Errorf("%s is not on port %d like the others", a, h.Port())
		}
	}
	// What was chosen can be had again, and an explicit address does not give way.
	port := h.Port()
	_ = h.Close()
	cfg.Port = port
	again, _ := startHost(t, cfg)
	if again.Port() != port {
		t.Errorf("port %d, want %d as before", again.Port(), port)
	}
	cfg = testConfig(t)
	cfg.Listen = []multiaddr.Multiaddr{multiaddr.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port))}
	h, err = New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Start(t.Context()); err == nil {
		t.Error("started on an explicit address that is taken")
	}
}

func TestTwentyHosts(t *testing.T) {
	first, r := startHost(t, testConfig(t))
	var others []*Host
	for range 19 {
		cfg := testConfig(t)
		cfg.Bootstrap = []peer.AddrInfo{infoOf(t, first)}
		h, _ := startHost(t, cfg)
		others = append(others, h)
	}
	for _, h := range others {
		eventually(t, "joined", isMember(first, h.ID()))
		eventually(t, "joined", isMember(h, first.ID()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) != 19 {
		t.Errorf("%d events, want 19", len(r.events))
	}
}

func TestCloseTwice(t *testing.T) {
	h, err := New(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := h.Start(t.Context()); err == nil {
		t.Error("started after Close")
	}
}

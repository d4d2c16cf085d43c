package mesh

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/sched"
)

var _ Directory = (*host.Host)(nil)

// node is a member with a host of its own: hello, discovery and DHT are real.
type node struct {
	*Mesh
	host  *host.Host
	mu    sync.Mutex
	funcs []Function
}

func (n *node) deploy(functions ...Function) {
	n.mu.Lock()
	n.funcs = functions
	n.mu.Unlock()
	n.FunctionsChanged()
}

func newNode(t testing.TB, most int, know ...*node) *node {
	t.Helper()
	n := new(node)
	cfg := host.Default()
	var err error
	if cfg.Key, err = host.LoadIdentity(t.TempDir() + "/identity.key"); err != nil {
		t.Fatal(err)
	}
	cfg.MDNS, cfg.Listen = false, []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/127.0.0.1/tcp/0")}
	cfg.Hello = func() hello.Hello { r := n.Report(); return hello.Hello{Incarnation: 1, Report: &r} }
	for _, k := range know {
		infos, err := peer.AddrInfosFromP2pAddrs(k.host.Addrs()...)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Bootstrap = append(cfg.Bootstrap, infos...)
	}
	if n.host, err = host.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.host.Close() })
	n.Mesh, err = New(Config{
		Host: n.host, Directory: n.host, Mesh: cfg.Mesh, Incarnation: 1, Max: most,
		Self:      func() sched.Load { return sched.Load{Servers: 2, Speed: 1} },
		Functions: func() []Function { n.mu.Lock(); defer n.mu.Unlock(); return n.funcs },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := control.NewServer(n.host.Libp2p(), control.Handlers{Functions: n.Functions}, n.host.Access())
	server.Start()
	t.Cleanup(func() { _ = server.Close() })
	t.Cleanup(func() { _ = n.Close() })
	if err := n.Mesh.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.host.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) has(function string) bool { return len(n.Has(function)) > 0 }

func (n *node) members() int { return len(n.Peers()) }

// With two neighbours each, most of six nodes are outside a node's view.
func TestFunctionsOutsideTheViewAreFound(t *testing.T) {
	nodes := []*node{newNode(t, 2)}
	for range 5 {
		nodes = append(nodes, newNode(t, 2, nodes[0]))
	}
	for _, n := range nodes {
		eventually(t, "all are members", func() bool { return n.members() == 5 })
	}
	first := nodes[0]
	outside := slices.IndexFunc(nodes, func(n *node) bool {
		return n != first && !slices.ContainsFunc(first.Peers(), func(s PeerStatus) bool { return s.ID == n.host.ID() && s.Neighbour })
	})
	eventually(t, "lists are fetched", func() bool {
		return !slices.ContainsFunc(first.Peers(), func(s PeerStatus) bool { return s.RTT == 0 })
	})
	runner := nodes[outside]
	runner.deploy(fn("far", 1))
	if first.has("far") {
		t.Fatal("known without being found: this tests nothing")
	}
	began := time.Now()
	eventually(t, "found", func() bool { first.forget(); return first.Find(t.Context(), "far") })
	t.Logf("found %v after it was deployed", time.Since(began))
	if got := first.Has("far"); !slices.Equal(got, []peer.ID{runner.host.ID()}) {
		t.Fatalf("%v have it, want %v", got, runner.host.ID())
	}
	if got := len(first.Fill(nil, "far", [8]byte{1})); got != 1 {
		t.Fatalf("%d candidates, want the one that was found", got)
	}
	neighbours := 0
	for _, s := range first.Peers() {
		if s.Neighbour {
			neighbours++
		}
	}
	if neighbours != 2 {
		t.Fatalf("%d neighbours, want 2", neighbours)
	}
	began = time.Now()
	if first.Find(t.Context(), "none") {
		t.Fatal("found what nobody runs")
	}
	t.Logf("what nobody runs was sought for %v", time.Since(began))
}

// forget lets the next Find begin at once.
func (m *Mesh) forget() {
	m.finder.mu.Lock()
	defer m.finder.mu.Unlock()
	clear(m.finder.misses)
}

// Nodes that are not even connected are dialled.
func TestProvidersAreDialled(t *testing.T) {
	far := newNode(t, 0)
	far.deploy(fn("far", 1))
	infos, err := peer.AddrInfosFromP2pAddrs(far.host.Addrs()...)
	if err != nil {
		t.Fatal(err)
	}
	dead := peer.AddrInfo{ID: newPlain(t).Host.ID(), Addrs: []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/127.0.0.1/tcp/1")}}
	n := newNode(t, 0)
	n.cfg.Directory = listed{n.host, []peer.AddrInfo{dead, {ID: n.host.ID()}, infos[0]}}
	if !n.Find(t.Context(), "far") || n.members() != 1 {
		t.Fatalf("not found, %d members", n.members())
	}
}

// listed is a directory whose answers the test gives; it dials as the host does.
type listed struct {
	*host.Host
	infos []peer.AddrInfo
}

func (l listed) Providers(context.Context, string) iter.Seq[peer.AddrInfo] {
	return slices.Values(l.infos)
}

// slow answers nothing until the lookup is given up, and counts.
type slow struct {
	mu   sync.Mutex
	seen map[string]int
	now  int
	most int
}

func (s *slow) Advertise([]string) {}
func (s *slow) Connect(context.Context, peer.AddrInfo) (host.Member, error) {
	return host.Member{}, context.Canceled
}
func (s *slow) Providers(ctx context.Context, key string) iter.Seq[peer.AddrInfo] {
	return func(func(peer.AddrInfo) bool) {
		s.count(key, 1)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		s.count(key, -1)
	}
}

func (s *slow) count(key string, d int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += d
	s.most = max(s.most, s.now)
	if d > 0 {
		s.seen[key]++
	}
}

// Names that nobody knows, however many ask for how many, cost little.
func TestSearchesAreBounded(t *testing.T) {
	f := newFixture(t, 0)
	t.Cleanup(func() { _ = f.Mesh.Close() })
	d := &slow{seen: make(map[string]int)}
	f.Mesh.cfg.Directory = d
	var all sync.WaitGroup
	for i := range 2000 {
		all.Go(func() {
			if f.Find(t.Context(), fmt.Sprintf("name%d", i%500)) {
				t.Error("found what nobody runs")
			}
		})
	}
	all.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.most > searchesAtOnce || len(d.seen) > maxSearches || len(d.seen) == 0 {
		t.Errorf("%d lookups at once, %d in all", d.most, len(d.seen))
	}
	for key, times := range d.seen {
		if times != 1 {
			t.Errorf("%s was looked up %d times within a moment", key, times)
		}
	}
}

func TestMissesAreForgotten(t *testing.T) {
	f := newFixture(t, 0)
	t.Cleanup(func() { _ = f.Mesh.Close() })
	d := &slow{seen: make(map[string]int)}
	f.Mesh.cfg.Directory = d
	for range 3 {
		f.Find(t.Context(), "x")
	}
	f.clock.add(missTime)
	f.Find(t.Context(), "x")
	if got := d.seen[functionKey("x")]; got != 2 {
		t.Fatalf("looked up %d times, want once, and again after %v", got, missTime)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f.Find(ctx, "y") {
		t.Fatal("found though nobody waits")
	}
}

// What is deployed is known to neighbours at once, not when the topic brings it.
func TestDeploymentIsToldDirectly(t *testing.T) {
	a, b := newMember(t, time.Hour), newMember(t, time.Hour)
	meet(t, a, b)
	eventually(t, "a and b know each other", func() bool {
		return len(a.Peers()) == 1 && a.Peers()[0].RTT > 0 && len(b.Peers()) == 1 && b.Peers()[0].RTT > 0
	})
	for i := range 3 {
		name := fmt.Sprint("fresh", i)
		b.set(func() { b.funcs = append(b.funcs, fn(name, 1)) })
		began := time.Now()
		b.FunctionsChanged()
		eventually(t, "a knows the new function", func() bool { return len(a.candidates(name)) == 1 })
		t.Logf("known after %v", time.Since(began))
	}
}

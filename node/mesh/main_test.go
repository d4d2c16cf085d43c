package mesh

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is generous: the machine may be busy with other things.
const limit = 30 * time.Second

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// plain is a libp2p host whose members come and go as the test says.
type plain struct {
	corehost.Host
	mu sync.Mutex
	fn func(host.Event)
}

func newPlain(t testing.TB, options ...libp2p.Option) *plain {
	t.Helper()
	h, err := libp2p.New(append(options, libp2p.DisableRelay())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return &plain{Host: h}
}

func (p *plain) Libp2p() corehost.Host { return p.Host }

func (p *plain) Subscribe(fn func(host.Event)) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fn = fn
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fn = nil
	}
}

func (p *plain) tell(e host.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fn != nil {
		p.fn(e)
	}
}

// clock is one that the test moves.
type clock struct{ at time.Duration }

func (c *clock) add(d time.Duration) { c.at += d }

// fixture is a Mesh that was not started, with a clock of the test's.
type fixture struct {
	*Mesh
	*clock
	t     testing.TB
	self  sched.Load
	funcs []Function
	count map[peer.ID]uint64
}

func newFixture(t testing.TB, most int) *fixture {
	t.Helper()
	f := &fixture{clock: &clock{at: time.Hour}, t: t, count: make(map[peer.ID]uint64)}
	m, err := New(Config{
		Host: newPlain(t, libp2p.NoListenAddrs), Mesh: "test", Incarnation: 1, Max: most,
		Self:      func() sched.Load { return f.self },
		Functions: func() []Function { return f.funcs },
		Now:       func() time.Duration { return f.clock.at },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Mesh = m
	return f
}

// join makes p a member that runs the functions.
func (f *fixture) join(p peer.ID, functions ...Function) *neighbour {
	f.t.Helper()
	f.Mesh.member(host.Event{Peer: p, Joined: true, Member: host.Member{Incarnation: 1, Zone: "z", Arch: "arm64"}})
	n := f.table.members[p]
	if n == nil {
		f.t.Fatalf("%s did not join", p)
	}
	f.table.fetched(n, list{digest: 9, functions: functions}, nil, f.clock.at)
	f.says(p, load.Report{Servers: 4, Functions: 9})
	return n
}

// says has p send a report directly, its next.
func (f *fixture) says(p peer.ID, r load.Report) { f.Hear(p, f.news(p, r)) }

func (f *fixture) news(p peer.ID, r load.Report) *load.News {
	f.count[p]++
	r.Incarnation, r.Counter = 1, f.count[p]
	if r.Speed == 0 {
		r.Speed = 1
	}
	return &load.News{Has: true, Sender: r}
}

func (f *fixture) ids(function string, fp [8]byte) (ids []peer.ID) {
	for _, n := range f.Fill(nil, function, fp) {
		ids = append(ids, n.ID)
	}
	return ids
}

func fn(name string, version byte) Function {
	return Function{Name: name, Namespace: "openfaas-fn", Fingerprint: [8]byte{version}, Warm: true,
		Service: sched.Service{Mean: 50 * ms, P10: 40 * ms, Spread: 0.5}}
}

func connect(t testing.TB, a, b corehost.Host) {
	t.Helper()
	if err := a.Connect(context.Background(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

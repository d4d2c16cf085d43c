package e2e

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// sinkhole is a member that claims to be idle and to run a function, and does
// with what it gets as its handler says.
type sinkhole struct {
	handle func(ctx context.Context) error
	got    atomic.Int64
}

func (s *sinkhole) ServeInvoke(ctx context.Context, _ *invoke.Call) (*invoke.Answer, error) {
	s.got.Add(1)
	return nil, s.handle(ctx)
}

// join makes s a member of the nodes' mesh, that offers fn.
func (s *sinkhole) join(t *testing.T, fn faas.Function, nodes ...*nodetest.Process) peer.ID {
	t.Helper()
	key, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := host.Default()
	cfg.Key, cfg.Mesh, cfg.MDNS, cfg.DHT, cfg.Port = key, "e2e", false, false, -1
	var m *mesh.Mesh
	cfg.Hello = func() hello.Hello {
		r := m.Report()
		return hello.Hello{Version: "hostile", Incarnation: 1, Report: &r}
	}
	for _, p := range nodes {
		info, err := host.ParseAddrInfo(p.Addrs[0])
		if err != nil {
			t.Fatal(err)
		}
		cfg.Bootstrap = append(cfg.Bootstrap, info)
	}
	h, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m, err = mesh.New(mesh.Config{
		Host: h, Mesh: "e2e", Incarnation: 1,
		Self: func() sched.Load { return sched.Load{Servers: 64, Speed: 1} },
		Functions: func() []mesh.Function {
			return []mesh.Function{{
				Name: fn.Name.Function, Namespace: fn.Name.Namespace, Fingerprint: fn.Fingerprint(), Warm: true,
				Service: sched.Service{Mean: time.Millisecond, P10: time.Millisecond},
			}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := invoke.NewServer(h.Libp2p(), s, nil, invoke.Config{News: m.Source(), Heard: m})
	lists := control.NewServer(h.Libp2p(), control.Handlers{Functions: m.Functions}, nil)
	calls.Start()
	lists.Start()
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = calls.Close()
		_ = lists.Close()
		_ = m.Close()
		_ = h.Close()
	})
	return h.ID()
}

// A member that looks better than all others, and answers nothing, must not
// keep what it attracts.
func TestSinkholeIsAvoided(t *testing.T) {
	for name, handle := range map[string]func(context.Context) error{
		"refuses": func(context.Context) error { return &invoke.Error{Code: invoke.CodeRefused} },
		"fails":   func(context.Context) error { return &invoke.Error{Code: invoke.CodeFailed} },
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			b := node(t, "tcp", nil, "--servers", "4")
			a := node(t, "tcp", []*nodetest.Process{b}, "--servers", "1")
			work := faas.Function{Name: faas.Name{Function: "work", Namespace: faas.DefaultNamespace}, Image: "builtin:sleep"}
			for _, p := range []*nodetest.Process{a, b} {
				deploy(t, p, "work", work.Image, []*nodetest.Process{p}, "--weight", "1", "--env", "duration=20ms")
			}
			knows(t, a, b, "work")
			s := &sinkhole{handle: handle}
			id := s.join(t, work, a, b)
			knows(t, a, &nodetest.Process{Peer: id.String()}, "work")
			share, calls, answered := pour(t, a, s)
			t.Logf("after 2 s it got %.1f %% of %d calls; %d were answered", 100*share, calls, answered)
			if share > 0.05 {
				t.Error("that is more than 5 %")
			}
			if answered < calls*8/10 {
				t.Error("too few calls were answered")
			}
		})
	}
}

// pour calls work at p for some seconds, more often than p alone can answer,
// and tells the share that s got of the calls made after 2 s.
func pour(t *testing.T, p *nodetest.Process, s *sinkhole) (share float64, calls, answered int) {
	t.Helper()
	var all sync.WaitGroup
	var good atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), nodetest.Patience)
	defer cancel()
	var before int64
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := range 600 {
		<-tick.C
		if i == 200 {
			before = s.got.Load()
		}
		late := i >= 200
		if late {
			calls++
		}
		all.Go(func() {
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url(p, "work"), strings.NewReader("x"))
			req.Header.Set("X-P2pfaas-Deadline", "500ms")
			req.Header.Set("Idempotency-Key", "x")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			resp.Body.Close()
			if late && resp.StatusCode == http.StatusOK {
				good.Add(1)
			}
		})
	}
	all.Wait()
	return float64(s.got.Load()-before) / float64(calls), calls, int(good.Load())
}

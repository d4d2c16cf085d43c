package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/share"
	"github.com/p2pfaas/p2pfaas/sched"
)

// talker is a policy that shares a line, and refuses "lie".
type talker struct {
	sched.Policy
	says  string
	mu    sync.Mutex // guards heard
	heard map[peer.ID]string
}

func (p *talker) Sharing() bool              { return p.says != "" }
func (p *talker) Share(time.Duration) []byte { return []byte(p.says) }
func (p *talker) Absorb(from peer.ID, said []byte, _ time.Duration) error {
	if string(said) == "lie" {
		return errors.New("it is a lie")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard[from] = string(said)
	return nil
}

func (p *talker) of(id peer.ID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[id]
}

// talkers can be had as policy talk, and as the default one.
func talkers(p *talker) sched.Registry {
	all := sched.Policies()
	all["talk"] = func(s *sched.Settings) sched.Policy {
		p.Policy = sched.Policies()["spread"](s)
		return p
	}
	return all
}

func sharingNode(t *testing.T, p *talker, policy string, bootstrap ...string) *Node {
	t.Helper()
	p.heard = make(map[peer.ID]string)
	c := Default()
	c.DataDir, c.HTTP, c.Auth, c.MDNS, c.Listen = t.TempDir(), HTTPNone, AuthNone, false, []string{"/ip4/127.0.0.1/tcp/0"}
	c.Policy, c.Bootstrap = policy, bootstrap
	n, err := NewWith(c, Parts{Runtime: new(faastest.Fake), Policies: talkers(p), Host: func(*host.Config) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	n.sharer.period = 200 * time.Millisecond
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func (n *Node) shares() bool {
	for _, id := range n.host.Libp2p().Mux().Protocols() {
		if id == share.Protocol {
			return true
		}
	}
	return false
}

// counted tells whether there were statements of that result.
func (n *Node) counted(result string) bool {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(n.dispatcher.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	line := `p2pfaas_learning_shared_total{result="` + result + `"}`
	return strings.Contains(w.Body.String(), line) && !strings.Contains(w.Body.String(), line+" 0\n")
}

// TestPoliciesShare while they want to, and only then; what is refused is counted.
func TestPoliciesShare(t *testing.T) {
	a, b, c := &talker{says: "a"}, &talker{says: "b"}, &talker{says: "lie"}
	first := sharingNode(t, a, "talk")
	var addrs []string
	for _, addr := range first.host.Addrs() {
		addrs = append(addrs, fmt.Sprintf("%s/p2p/%s", addr, first.self))
	}
	second, third := sharingNode(t, b, "spread", addrs...), sharingNode(t, c, "talk", addrs...)
	until(t, "one is refused by the other", func() bool {
		return first.counted(shareRefused)
	})
	if second.shares() || a.of(second.self) != "" || a.of(third.self) != "" {
		t.Fatal("a policy that does not share was joined for, or a lie taken in")
	}
	if err := second.SetScheduling(Scheduling{Policy: "talk", Servers: 2, Queue: -1}); err != nil {
		t.Fatal(err)
	}
	until(t, "both hear each other", func() bool { return a.of(second.self) == "b" && b.of(first.self) == "a" })
	if err := second.SetScheduling(Scheduling{Policy: "spread", Servers: 2, Queue: -1}); err != nil {
		t.Fatal(err)
	}
	until(t, "it leaves with the policy", func() bool { return !second.shares() })
	if !first.counted(shareSent) || !first.counted(shareAbsorbed) {
		t.Error("what was sent and absorbed is not counted")
	}
	if err := first.Close(); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if first.shares() {
		t.Error("closed, it shares")
	}
}

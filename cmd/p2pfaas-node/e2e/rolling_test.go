//go:build linux

package e2e

import (
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

var restarts = flag.Int("restarts", 6, "how many nodes there are to be restarted in turn")

// gates are the sites where calls may enter.
type gates struct {
	mu    sync.Mutex
	sites []*site
	shut  *site         // nothing enters here
	in    map[*site]int // calls that have entered and not ended
}

func (g *gates) enter() (*site, func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sites[rand.IntN(len(g.sites))]
	for s == g.shut {
		s = g.sites[rand.IntN(len(g.sites))]
	}
	g.in[s]++
	return s, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.in[s]--
	}
}

// close returns when no call that entered at s is under way; nil opens all.
func (g *gates) close(s *site) {
	g.mu.Lock()
	g.shut = s
	for g.in[s] > 0 {
		g.mu.Unlock()
		time.Sleep(time.Millisecond)
		g.mu.Lock()
	}
	g.mu.Unlock()
}

// All nodes run the function and are restarted one after the other; calls enter
// at any node but that one.
func TestRollingRestartUnderLoad(t *testing.T) {
	f := newFleet(t)
	all := f.nodes(*restarts, "--servers", "2")
	for _, s := range all {
		s.deploy(repeatable)
		s.deploy(once)
	}
	f.within(3*time.Second, "all know where the function runs", time.Now(), all, func(s *site) error { return s.knowsFunction(once, all) })
	g := &gates{sites: all, in: make(map[*site]int)}
	began := time.Now()
	tr := f.traffic(6, g.enter, repeatable, once)
	for _, s := range all {
		before := f.ledger.at(s.number)
		nodetest.Eventually(t, "the node is used", func() error { return f.ledger.has(before+1, s.number) })
		g.close(s)
		stopping := time.Now()
		if err := s.node.Stop(); err != nil {
			t.Errorf("machine %d: the node ended with %v", s.number, err)
		}
		stopped := time.Now()
		s.start()
		ready := time.Now()
		nodetest.Eventually(t, "the restarted node is known", func() error {
			for _, other := range all {
				if err := other.knowsFunction(once, []*site{s}); err != nil {
					return err
				}
			}
			return nil
		})
		g.close(nil)
		t.Logf("machine %d: ended after %v, ready after %v, known to all after %v", s.number,
			stopped.Sub(stopping).Round(time.Millisecond), ready.Sub(stopped).Round(time.Millisecond), time.Since(ready).Round(time.Millisecond))
	}
	calls := tr.stop()
	t.Logf("%d calls while %d nodes were restarted", len(calls), len(all))
	answered(t, calls, began, never)
	f.ledger.onlyOnce(t)
}

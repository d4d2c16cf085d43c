package main

import (
	"context"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func newPolicy(t *testing.T) sched.Policy {
	t.Helper()
	p, err := policies().New("zone-first", nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What every driver relies on.
func TestConformance(t *testing.T) { schedtest.Run(t, newPolicy) }

func TestOwnZoneFirst(t *testing.T) {
	self := schedtest.Self(1, 1, 50*time.Millisecond)
	self.Zone, self.Free = "here", false
	near := schedtest.Neighbour("near", time.Millisecond, 1, 3, 50*time.Millisecond)
	near.Zone = "here"
	far := schedtest.Neighbour("far", time.Millisecond, 1, 0, 50*time.Millisecond)
	d := newPolicy(t).Decide(schedtest.View(1, self, near, far), schedtest.Request())
	if d.Action != sched.Forward || d.Peer != near.ID {
		t.Errorf("%v to %s, want a forward to the busier node of this zone", d.Action, d.Peer)
	}
	d = newPolicy(t).Decide(schedtest.View(1, self, far), schedtest.Request())
	if d.Peer != far.ID {
		t.Errorf("%v to %s, want a forward to the other zone", d.Action, d.Peer)
	}
}

// The node really starts with it.
func TestRun(t *testing.T) {
	cfg := node.Default()
	cfg.DataDir, cfg.HTTP, cfg.OpenFaaSURL = t.TempDir(), "127.0.0.1:0", node.OpenFaaSNone
	cfg.Listen, cfg.MDNS = []string{"/ip4/127.0.0.1/tcp/0"}, false
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
}

package sim_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// TestCut: what runs ends at its deadline, and its server is free from then on.
func TestCut(t *testing.T) {
	sc := &sim.Scenario{
		Name: "cut", Duration: 100 * time.Second, Expiry: sim.ExpiryOn,
		Nodes:   []sim.Group{{Count: 1, Servers: 1, Queue: 10, Rate: []float64{9}}},
		Classes: []sim.Class{{Share: 1, Function: "work", Service: 100 * time.Millisecond, Deadline: 150 * time.Millisecond}},
	}
	options := sim.Options{Policy: "local"}
	whole := run(t, sc, options)
	sc.Cut = true
	latest := time.Duration(0)
	options.Record = func(r sim.Record) { latest = max(latest, r.Response) }
	cut := run(t, sc, options)
	if latest > 150*time.Millisecond || cut.Served != cut.InDeadline {
		t.Errorf("the last one ended after %v; %v served, %v in time", latest, cut.Served, cut.InDeadline)
	}
	if cut.InDeadline < whole.InDeadline || cut.Utilisation >= whole.Utilisation || cut.Requests != whole.Requests {
		t.Errorf("cut: %v in time, %v busy; without: %v and %v", cut.InDeadline, cut.Utilisation, whole.InDeadline, whole.Utilisation)
	}
}

//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// faults is how often each fault is tried.
var faults = flag.Int("faults", 2, "how often each fault of a node under load is tried")

// noticed is within which time of a fault calls are answered, by another node
// or with what is known of them.
const noticed = 3 * time.Second

// fault is what happens to a node, and how it ends.
type fault struct {
	name       string
	begin, end func(f *fleet, a, b *site)
}

func faultsOfANode() []fault {
	return []fault{
		{"killed", func(_ *fleet, _, b *site) { b.node.Kill() }, func(_ *fleet, _, b *site) { b.start() }},
		{"hung", func(_ *fleet, _, b *site) { b.node.Freeze() }, func(_ *fleet, _, b *site) { b.node.Thaw() }},
		{"cut off", func(f *fleet, _, b *site) { f.net.Unplug(b.machine) }, func(f *fleet, _, b *site) { f.net.Plug(b.machine) }},
		{"cut off from A", func(f *fleet, a, b *site) { f.net.Cut(a.machine, b.machine) }, func(f *fleet, a, b *site) { f.net.Join(a.machine, b.machine) }},
	}
}

// recovery is within which time a node that is well again is known to be; as
// after a partition. When it gets work again is for the policy to say.
const recovery = 5 * time.Second

// Calls enter at A and run on B and C, of which B suffers.
func TestFaultsUnderLoad(t *testing.T) {
	for _, fault := range faultsOfANode() {
		t.Run(fault.name, func(t *testing.T) {
			f := newFleet(t)
			a, b, c := f.nodes(1)[0], f.nodes(1, "--servers", "4")[0], f.nodes(1, "--servers", "4")[0]
			for _, s := range []*site{b, c} {
				s.deploy(repeatable)
				s.deploy(once)
			}
			tr := f.traffic(6, at(a), repeatable, once)
			f.usedBy(a, b, "at first: B")
			hit := 0
			for round := range *faults {
				hit += suffers(t, f, tr, fault, fmt.Sprintf("round %d", round+1), a, b)
			}
			time.Sleep(noticed) // connections that were not used meanwhile are found dead or alive
			if hit == 0 {
				t.Error("no call was running on B when it failed: this tests nothing")
			}
			healthy := time.Now()
			time.Sleep(time.Second) // of calls that meet no fault
			tr.stop()
			answered(t, tr.since(healthy), healthy, func(c *call) bool { return c.began.Before(healthy) })
			f.ledger.onlyOnce(t)
		})
	}
}

// suffers is one round: B suffers until what it had is answered, recovers and is
// used again. It returns how many calls B was running.
func suffers(t *testing.T, f *fleet, tr *traffic, fault fault, round string, a, b *site) (hit int) {
	t.Helper()
	began := time.Now()
	under := tr.underWay(began)
	for _, id := range under {
		if slices.Contains(f.ledger.of(id), b.number) {
			hit++
		}
	}
	t.Logf("%s: B is %s with %d calls under way, of which it runs %d", round, fault.name, len(under), hit)
	fault.begin(f, a, b)
	nodetest.Eventually(t, "the calls that were under way are over", func() error { return tr.settled(began) })
	time.Sleep(time.Second) // of calls that meet the fault from their beginning
	ending := time.Now()
	judge(t, tr.since(began), began, round)
	fault.end(f, a, b)
	f.usedBy(a, b, round+": B is well again and")
	answered(t, tr.since(ending), began, func(c *call) bool {
		return c.began.Before(ending) || c.function == once && c.unknown() // C may notice B's fault when it is over
	})
	return hit
}

// usedBy waits until calls that enter at A run on B.
func (f *fleet) usedBy(a, b *site, what string) {
	f.t.Helper()
	began, before := time.Now(), f.ledger.at(b.number)
	f.within(recovery, what+" is known to have the function", began, []*site{a}, func(a *site) error { return a.knowsFunction(once, []*site{b}) })
	nodetest.Eventually(f.t, what+" is used", func() error {
		if err := f.ledger.has(before+20, b.number); err != nil {
			return fmt.Errorf("%w; %s", err, a.view(b))
		}
		return nil
	})
	f.t.Logf("%s is used: after %v", what, time.Since(began).Round(time.Millisecond))
}

// judge looks at the calls that ended during a fault.
func judge(t *testing.T, calls []call, fault time.Time, round string) {
	t.Helper()
	answered(t, calls, fault, func(c *call) bool { return c.function == once && c.unknown() })
	for _, kind := range []struct {
		what  string
		meant func(*call) bool
	}{
		{"the slowest of %d calls that may run twice is answered", func(c *call) bool { return c.function == repeatable }},
		{"the last of %d others is told that it may have run", func(c *call) bool { return c.function == once && c.unknown() }},
		{"the slowest of the other %d is answered", func(c *call) bool { return c.function == once && !c.unknown() }},
	} {
		longest, n := slowest(calls, fault, kind.meant)
		inTime(t, round+": "+fmt.Sprintf(kind.what, n), longest, noticed)
	}
}

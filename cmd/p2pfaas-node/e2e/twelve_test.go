//go:build linux

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestTwelveNodes starts twelve nodes with no flag but --data, adds one and gives
// one another address.
func TestTwelveNodes(t *testing.T) {
	f := newFleet(t)
	began := time.Now()
	twelve := f.nodes(12)
	ready := time.Now()
	t.Logf("12 nodes were ready after %v, started one after the other", ready.Sub(began).Round(time.Millisecond))
	f.within(3*time.Second, "all know their neighbours", ready, twelve, func(s *site) error { return s.knows(twelve) })

	added := addedLater(t, f, twelve)
	addressChanges(t, f, added, twelve)
}

// addedLater plugs in a machine that has run before and knows its function.
func addedLater(t *testing.T, f *fleet, twelve []*site) *site {
	t.Helper()
	added := f.machines(1)[0]
	f.net.Unplug(added.machine)
	added.start()
	added.deploy(repeatable)
	if err := added.node.Stop(); err != nil {
		t.Fatalf("stop the node before it is added: %v", err)
	}
	f.net.Plug(added.machine)
	added.start()
	f.within(2*time.Second, "the node added later is used by all", time.Now(), twelve, func(s *site) error { return s.reaches(added) })
	return added
}

// addressChanges gives a machine a new address.
func addressChanges(t *testing.T, f *fleet, moved *site, others []*site) {
	t.Helper()
	if err := moved.machine.ChangeIP(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	f.within(5*time.Second, "the node with a changed address is used by all", began, others, func(s *site) error { return s.reaches(moved) })
	f.within(5*time.Second, "all know the changed address", began, others, func(s *site) error { return s.knows([]*site{moved}) })
}

// reaches says, as an error, why a call that enters here does not run there.
func (s *site) reaches(there *site) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c := s.call(ctx, fmt.Sprintf("%s-probe-%d", repeatable, s.number), repeatable)
	if !c.ok() {
		return fmt.Errorf("a call that entered at machine %d: %s", s.number, c.what())
	}
	if c.ran != there.node.Peer {
		return fmt.Errorf("a call that entered at machine %d ran on %s, not on machine %d", s.number, c.ran, there.number)
	}
	return nil
}

package sim_test

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/node/nodetest/sim"
)

// TestElsewhere: a function that only the second node has is called through the first.
func TestElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := sim.NewMesh(t, 2, sim.Options{})
		m.Deploy(1, sim.Function{Name: "echo", Service: 20 * time.Millisecond})
		m.Settle()
		a := m.Call(0, "echo", "hello")
		if a.Status != 200 || a.Body != "hello" {
			t.Fatalf("answer: %d %q", a.Status, a.Body)
		}
		if a.Hops() != 1 || a.Peer() != m.ID(1) {
			t.Errorf("ran at %s after %d hops, want 1 hop to %s", a.Peer(), a.Hops(), m.ID(1))
		}
		// A round trip, the service, and at most another round trip for a new stream.
		if a.Took < 26*time.Millisecond || a.Took > 40*time.Millisecond {
			t.Errorf("took %v", a.Took)
		}
	})
}

// TestHelp: ten calls at once at a node with one server. Its neighbours, who have
// the function too, take some.
func TestHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, service = 10, 100 * time.Millisecond
		m := sim.NewMesh(t, 3, sim.Options{})
		for i := range 3 {
			m.Deploy(i, sim.Function{Name: "work", Service: service})
		}
		m.Settle()
		began := time.Now()
		answers := make([]*sim.Answer, calls)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = m.Call(0, "work", strconv.Itoa(i)) })
		}
		all.Wait()
		took := time.Since(began)
		ran := map[string]int{}
		for i, a := range answers {
			if a.Status != 200 || a.Body != strconv.Itoa(i) {
				t.Errorf("call %d: %d %q", i, a.Status, a.Body)
			}
			ran[a.Peer()]++
		}
		t.Logf("%v, ran at %v", took, ran)
		if ran[m.ID(1)] == 0 || ran[m.ID(2)] == 0 {
			t.Errorf("ran at %v: not all of the nodes helped", ran)
		}
		if took > calls*service*7/10 {
			t.Errorf("took %v, alone it would have been %v", took, calls*service)
		}
	})
}

// TestCutOff: the node that runs a call loses its cable. The call may be repeated, and
// is answered by another node before an impatient client gives up.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := sim.NewMesh(t, 3, sim.Options{})
		slow := sim.Function{Name: "slow", Service: 400 * time.Millisecond, Idempotent: true}
		m.Deploy(1, slow)
		m.Deploy(2, slow)
		m.Settle()
		answered := make(chan *sim.Answer, 1)
		go func() { answered <- m.Call(0, "slow", "x") }()
		time.Sleep(100 * time.Millisecond)
		killed := running(m, "slow")
		if killed < 0 {
			t.Fatal("no node runs the call after 100 ms")
		}
		m.Kill(killed)
		a := <-answered
		t.Logf("node %d was cut off; answered after %v", killed, a.Took)
		if a.Status != 200 || a.Body != "x" || a.Peer() != m.ID(3-killed) {
			t.Errorf("node %d was cut off; %d %q by %s", killed, a.Status, a.Body, a.Peer())
		}
		if a.Took > 3*time.Second {
			t.Errorf("answered after %v", a.Took)
		}
	})
}

// running is the node that runs a call of that function now, -1 if none does.
func running(m *sim.Mesh, function string) int {
	name := faas.Name{Function: function, Namespace: faas.DefaultNamespace}
	for _, i := range []int{1, 2} {
		if m.Runtime(i).Counters(name).InFlight > 0 {
			return i
		}
	}
	return -1
}

// TestChain: each node knows only the one before it, and all of them meet.
func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10
		m := sim.NewMesh(t, n, sim.Options{})
		began := time.Now()
		m.Settle()
		t.Logf("settled after %v", time.Since(began))
		for i := range n {
			if got := len(m.Peers(i)); got != n-1 {
				t.Errorf("node %d has %d members, want %d", i, got, n-1)
			}
		}
	})
}

// TestPulls: nobody forwards anything here, so what runs at the node that falls
// idle was asked for by it.
func TestPulls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, service = 12, 2 * time.Second
		m := sim.NewMesh(t, 2, sim.Options{Config: func(_ int, c *node.Config) {
			c.PolicySet, c.Queue = map[string]string{"hops": "0"}, 100
		}})
		for i := range 2 {
			m.Deploy(i, sim.Function{Name: "work", Service: service})
		}
		m.Settle()
		for range 3 { // who has served may ask
			m.Call(1, "work", "")
		}
		answers := make([]*sim.Answer, calls)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = m.Call(0, "work", strconv.Itoa(i)) })
		}
		all.Go(func() { m.Call(1, "work", "") })
		all.Wait()
		pulled := 0
		for i, a := range answers {
			if a.Status != 200 || a.Body != strconv.Itoa(i) {
				t.Errorf("call %d: %d %q", i, a.Status, a.Body)
			}
			if a.Peer() == m.ID(1) {
				pulled++
			}
		}
		t.Logf("%d of %d were pulled", pulled, calls)
		if pulled < calls/4 || pulled > calls*2/3 {
			t.Errorf("%d of %d ran at the node that fell idle", pulled, calls)
		}
	})
}

package sched_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func TestConformance(t *testing.T) {
	cases := []struct {
		name, policy string
		set          map[string]string
	}{
		{"local", "local", nil},
		{"local that never forwards", "local", map[string]string{"hops": "0"}},
		{"spread", "spread", nil},
		{"spread without margins or limits", "spread", map[string]string{"hops": "16", "threshold": "0", "draws": "16", "finish": "0", "water": "10", "max-age": "1h", "budget": "100", "order": "fifo"}},
		{"spread-v1", "spread-v1", nil},
		{"spread-v1 that probes", "spread-v1", map[string]string{"probe": "2"}},
		{"power-of-n", "power-of-n", nil},
		{"power-of-n as upstream", "power-of-n", map[string]string{"variant": "upstream", "f": "1", "t": "0", "loss": "true", "hops": "16"}},
		{"power-of-n wide", "power-of-n", map[string]string{"f": "64", "t": "0", "hops": "16"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			schedtest.Run(t, func(t *testing.T) sched.Policy { return newPolicy(t, c.policy, c.set) })
		})
	}
}

func newPolicy(t testing.TB, name string, set map[string]string) sched.Policy {
	t.Helper()
	p, err := sched.New(name, set)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// crowd is a busy node with n neighbours of various loads, reports half a
// second old.
func crowd(n int) *sched.View {
	neighbours := make([]sched.Neighbour, n)
	for i := range neighbours {
		name := string([]byte{'n', byte('0' + i/10), byte('0' + i%10)})
		neighbours[i] = schedtest.Neighbour(name, time.Duration(1+i%9)*time.Millisecond, 1+i%4, i%11, 60*time.Millisecond)
		neighbours[i].Load.Out = float64(i % 13)
		neighbours[i].Sampled -= time.Duration(i) * 10 * time.Millisecond
	}
	return schedtest.View(1, schedtest.Self(2, 9, 60*time.Millisecond), neighbours...)
}

// asked returns the second round's request: all probes of d were answered.
func asked(r *sched.Request, d sched.Decision) *sched.Request {
	next := *r
	next.Round++
	next.Probed = append(next.Probed, d.Probes...)
	return &next
}

func TestDecideDoesNotAllocate(t *testing.T) {
	for _, name := range sched.Names() {
		for _, deployed := range []bool{true, false} {
			p, v, r := newPolicy(t, name, nil), crowd(64), schedtest.Request("n03")
			if name == "power-of-n" {
				r = schedtest.Request()
			}
			v.Self.Deployed, r.Deadline = deployed, 200*time.Millisecond
			second := asked(r, p.Decide(v, r))
			if allocs := testing.AllocsPerRun(200, func() { p.Decide(v, r); p.Decide(v, second) }); allocs != 0 {
				t.Errorf("%s, deployed %t: %v allocations in two decisions", name, deployed, allocs)
			}
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, name := range sched.Names() {
		b.Run(name, func(b *testing.B) {
			p, v, r := newPolicy(b, name, nil), crowd(64), schedtest.Request()
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(v, r)
			}
		})
	}
	b.Run("spread on the second hop, within a deadline", func(b *testing.B) {
		p, v, r := newPolicy(b, "spread", nil), crowd(64), schedtest.Request("n03", "n44")
		r.Deadline = 200 * time.Millisecond
		b.ReportAllocs()
		for b.Loop() {
			p.Decide(v, r)
		}
	})
	b.Run("power-of-n once answered", func(b *testing.B) {
		p, v, r := newPolicy(b, "power-of-n", nil), crowd(64), schedtest.Request()
		second := asked(r, p.Decide(v, r))
		b.ReportAllocs()
		for b.Loop() {
			p.Decide(v, second)
		}
	})
}

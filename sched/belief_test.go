package sched

import (
	"math"
	"testing"
	"time"
)

func TestClimateLearnsFromGossipAlone(t *testing.T) {
	var m climate
	busy := Load{Running: 1, Queued: 1, Servers: 1, Wait: 200 * ms}
	idle := Load{Servers: 1}
	m.hear(News{Load: busy, Via: ViaMessage})
	m.hear(News{Load: busy, Via: ViaThird})
	if m.reports != 0 || m.wait != 0 {
		t.Fatalf("%+v after reports that rode on messages", m)
	}
	for range 40 {
		m.hear(News{Load: busy})
		m.hear(News{Load: idle})
	}
	if math.Abs(m.idle-0.5) > 0.05 || math.Abs(m.wait-0.1) > 0.01 {
		t.Errorf("idle %v and wait %v, want 0.5 and 0.1 s", m.idle, m.wait)
	}
}

func TestBeliefAges(t *testing.T) {
	m := climate{wait: 0.06, idle: 0.4}
	memoryless := mixture{mean: 0.1, runsOff: 0.5}
	fixed := mixture{mean: 0.1, runsOff: 1}
	cases := []struct {
		name string
		n    Neighbour
		mix  mixture
		age  time.Duration
		want float64
	}{
		{"just reported", Neighbour{Load: Load{Wait: 200 * ms}}, memoryless, 0, 0.2},
		{"half of the time runs off", Neighbour{Load: Load{Wait: 200 * ms}}, memoryless, 100 * ms,
			math.Exp(-0.5)*0.15 + (1-math.Exp(-0.5))*0.06},
		{"all of it if services are fixed", Neighbour{Load: Load{Wait: 200 * ms}}, fixed, 100 * ms,
			math.Exp(-0.5)*0.1 + (1-math.Exp(-0.5))*0.06},
		{"idle is not for long", Neighbour{}, memoryless, 200 * ms, (1 - math.Exp(-1)) * 0.06},
		{"in the end like any", Neighbour{Load: Load{Wait: 200 * ms}}, memoryless, 10 * time.Second, 0.06},
		{"own sends come on top", Neighbour{Load: Load{Running: 1, Wait: 100 * ms}, OwnSends: 2, OwnWork: 100 * ms}, memoryless, 0, 0.2},
		{"and do not age", Neighbour{Load: Load{Running: 1}, OwnSends: 1, OwnWork: 100 * ms}, memoryless, 10 * time.Second, 0.16},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b belief
			b.age(&c.n, c.age, c.mix, &m)
			if math.Abs(b.wait-c.want) > 1e-6 {
				t.Errorf("wait %v, want %v", b.wait, c.want)
			}
		})
	}
}

func TestSentWait(t *testing.T) {
	cases := []struct {
		name     string
		servers  int
		load     int
		sends    int
		work     time.Duration
		wantWait float64
	}{
		{"none", 1, 3, 0, 0, 0},
		{"takes the only server", 1, 0, 1, 60 * ms, 0.06},
		{"servers are left", 4, 0, 3, 180 * ms, 0},
		{"takes the last", 4, 3, 1, 60 * ms, 0.015},
		{"two of three count", 4, 2, 3, 180 * ms, 0.03},
		{"all wait", 2, 5, 3, 180 * ms, 0.09},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := Neighbour{Load: Load{Servers: c.servers, Running: c.load}, OwnSends: c.sends, OwnWork: c.work}
			if got := sentWait(&n); !near(got, c.wantWait) {
				t.Errorf("%v s, want %v", got, c.wantWait)
			}
		})
	}
}

func TestChanceOfAStaleBelief(t *testing.T) {
	m := climate{wait: 0.06, idle: 0.4} // those that are busy have 100 ms to go
	l := law{0.1, 1}
	fresh := belief{fresh: 1, reported: 0}
	if got := m.chance(&fresh, l, 0.2); !near(got, l.within(0.2)) {
		t.Errorf("fresh and idle: %v, want %v", got, l.within(0.2))
	}
	unknown := belief{fresh: 0}
	if got, want := m.chance(&unknown, l, 0.2), 0.4*l.within(0.2)+0.6*0.5; !near(got, want) {
		t.Errorf("unknown: %v, want %v", got, want)
	}
	half := belief{fresh: 0.5}
	want := (m.chance(&fresh, l, 0.2) + m.chance(&unknown, l, 0.2)) / 2
	if got := m.chance(&half, l, 0.2); !near(got, want) {
		t.Errorf("half and half: %v, want %v", got, want)
	}
}

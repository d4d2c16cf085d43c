package sched_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestBusyResidual(t *testing.T) {
	fixed := sched.Service{Mean: 100 * ms}
	memoryless := sched.Service{Mean: 100 * ms, Spread: 1}
	half := sched.Service{Mean: 100 * ms, Spread: 0.5}
	type start struct {
		at time.Duration
		of sched.Service
	}
	cases := []struct {
		name   string
		starts []start
		now    time.Duration
		want   time.Duration
	}{
		{"nothing runs", nil, 0, 0},
		{"fixed runs off", []start{{0, fixed}}, 30 * ms, 70 * ms},
		{"fixed, overdue", []start{{0, fixed}}, 130 * ms, 0},
		{"memoryless does not", []start{{0, memoryless}}, 90 * ms, 100 * ms},
		{"of two memoryless the first", []start{{0, memoryless}, {50 * ms, memoryless}}, 90 * ms, 50 * ms},
		{"half and half", []start{{0, half}}, 20 * ms, 80 * ms},
		{"the first of two fixed", []start{{10 * ms, fixed}, {0, fixed}}, 30 * ms, 70 * ms},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := sched.NewBusy()
			for _, s := range c.starts {
				b.Start(s.at, s.of)
			}
			if got := b.Residual(c.now); got != c.want || b.Len() != len(c.starts) {
				t.Errorf("%v with %d running, want %v", got, b.Len(), c.want)
			}
		})
	}
}

func TestBusyEnd(t *testing.T) {
	b := sched.NewBusy()
	first := b.Start(0, sched.Service{Mean: 100 * ms})
	b.Start(0, sched.Service{Mean: 300 * ms, Spread: 1})
	b.End(first)
	if got := b.Residual(0); b.Len() != 1 || got != 300*ms {
		t.Errorf("%d run and the first ends in %v, want one and 300ms", b.Len(), got)
	}
	if again := b.Start(0, sched.Service{Mean: 50 * ms}); again != first || b.Len() != 2 {
		t.Errorf("token %d, want %d back", again, first)
	}
}

func TestServiceStats(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	draw := map[string]func() time.Duration{
		"fixed":      func() time.Duration { return 60 * ms },
		"memoryless": func() time.Duration { return time.Duration(rng.ExpFloat64() * 60e6) },
	}
	cases := []struct {
		name           string
		count          int
		spread, within float64
		p10            time.Duration
	}{
		{"fixed", 1000, 0, 0.001, 60 * ms},
		{"memoryless", 1000, 1, 0.4, 6 * ms},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var s sched.ServiceStats
			for range c.count {
				s.Add(draw[c.name]())
			}
			got := s.Service()
			if math.Abs(got.Mean.Seconds()-0.06) > 0.06*c.within+1e-9 || math.Abs(got.Spread-c.spread) > c.within {
				t.Errorf("%+v, want a mean of 60ms and a spread of %v", got, c.spread)
			}
			if got.P10 > 2*c.p10 || got.P10 < c.p10/10 {
				t.Errorf("10th percentile %v, want some %v", got.P10, c.p10)
			}
		})
	}
}

func TestServiceStatsBegin(t *testing.T) {
	var s sched.ServiceStats
	if got := s.Service(); got != (sched.Service{Spread: 1}) {
		t.Errorf("unmeasured: %+v", got)
	}
	for _, d := range []time.Duration{10 * ms, 20 * ms, 60 * ms} {
		s.Add(d)
	}
	if got := s.Service(); got != (sched.Service{Mean: 30 * ms, Spread: 1}) {
		t.Errorf("of three: %+v, want their mean and no more", got)
	}
}

func TestMixOfFixedIsFixed(t *testing.T) {
	var m sched.Mix
	if got := m.Service(); got != (sched.Service{}) {
		t.Errorf("unmeasured: %+v", got)
	}
	for range 30 {
		m.Add(sched.Service{Mean: 10 * ms})
	}
	m.Add(sched.Service{Mean: 100 * ms})
	if got := m.Service(); got.Spread != 0 || got.Mean <= 10*ms || got.Mean > 20*ms {
		t.Errorf("%+v, want no spread", got)
	}
	m.Add(sched.Service{Mean: 10 * ms, Spread: 1})
	if got := m.Service().Spread; got <= 0 || got > 0.1 {
		t.Errorf("spread %v with one memoryless of thirty", got)
	}
}

func TestSpeed(t *testing.T) {
	var s sched.Speed
	if s.Value() != 1 {
		t.Errorf("unmeasured: %v", s.Value())
	}
	for range 300 {
		s.Add(180*ms, 60*ms)
	}
	if math.Abs(s.Value()-3) > 0.05 {
		t.Errorf("%v, want 3", s.Value())
	}
	s.Add(time.Hour, 60*ms)
	if s.Value() > 4 {
		t.Errorf("one hung service makes it %v", s.Value())
	}
	s.Add(time.Hour, 0)
	if s.Value() > 4 {
		t.Errorf("unknown nominal time counts")
	}
}

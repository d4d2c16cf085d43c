package sched

import (
	"math"
	"time"
)

// ServiceStats measures how long one function holds a server of one node. The
// zero value is ready. Not safe for concurrent use.
type ServiceStats struct {
	count    int
	mean     float64 // seconds
	variance float64
	recent   [32]float64 // ring, for the 10th percentile
	p10      time.Duration
	spread   float64
}

const (
	// leastGain lets old services count for less and less: 50 back, for a third.
	leastGain = 0.02
	// spreadAfter is how many services are taken before their spread is believed.
	spreadAfter = 10
	// outlier bounds a single measurement, in means: a process that hung for
	// seconds must not make the function look slow for its next hundred calls. Of
	// memoryless services one in three thousand is longer.
	outlier = 8
)

// gainAt is the weight of the count-th sample in a moving mean: the first ones
// count fully.
func gainAt(count int) float64 { return max(leastGain, 1/float64(count)) }

// Add takes one measurement.
func (s *ServiceStats) Add(d time.Duration) {
	x := seconds(d)
	if s.count >= spreadAfter {
		x = min(x, outlier*s.mean)
	}
	s.recent[s.count%len(s.recent)] = x
	s.count++
	gain, delta := gainAt(s.count), x-s.mean
	s.mean += gain * delta
	s.variance = (1 - gain) * (s.variance + gain*delta*delta)
	if s.count >= spreadAfter && s.count%4 == 0 {
		s.spread = min(1, math.Sqrt(s.variance)/max(s.mean, 1e-9))
		s.p10 = s.percentile10()
	}
}

// Count is how many were added.
func (s *ServiceStats) Count() int { return s.count }

// Service is what they tell. P10 is 0 and Spread 1 until there are enough.
func (s *ServiceStats) Service() Service {
	known := Service{Mean: time.Duration(s.mean * 1e9), P10: s.p10, Spread: 1}
	if s.count > spreadAfter+1 {
		known.Spread = s.spread
	}
	return known
}

// percentile10 is the one of the recent that a tenth of them are below.
func (s *ServiceStats) percentile10() time.Duration {
	n := min(s.count, len(s.recent))
	var least [len(s.recent)/10 + 1]float64 // in order; sorting all would take ten times as long
	rank := n / 10
	for i, x := range s.recent[:n] {
		at := min(i, rank)
		if i > rank && x >= least[rank] {
			continue
		}
		for ; at > 0 && least[at-1] > x; at-- {
			least[at] = least[at-1]
		}
		least[at] = x
	}
	return time.Duration(least[rank] * 1e9)
}

// Mix measures the mean over all services of a node, whatever the function: its
// Mean is that of the next one to come; its Spread is the mean of the functions'
// own, so that a mixture of fixed services is fixed. The zero value is ready.
// Not safe for concurrent use.
type Mix struct {
	count      int
	mean, tail float64 // seconds
}

// Add takes in that one of this kind has run.
func (m *Mix) Add(of Service) {
	m.count++
	gain, l := gainAt(m.count), lawOf(seconds(of.Mean), of.Spread)
	m.mean += gain * (l.mean - m.mean)
	m.tail += gain * (l.tail() - m.tail)
}

// Service is the mixture; its P10 is not known. The zero Service before Add.
func (m *Mix) Service() Service {
	if !(m.mean > 0) {
		return Service{}
	}
	return Service{Mean: time.Duration(m.mean * 1e9), Spread: min(1, m.tail/m.mean)}
}

// Speed measures Load.Speed: a node's service times over the nominal ones. The
// zero value is ready, and nominal. Not safe for concurrent use.
type Speed struct{ deviation float64 }

// Add takes one service and what it takes nominally; nothing if that is unknown.
func (s *Speed) Add(measured, nominal time.Duration) {
	if nominal > 0 {
		ratio := min(float64(max(0, measured))/float64(nominal), outlier*s.Value())
		s.deviation += leastGain * (ratio - s.Value())
	}
}

// Value is for Load.Speed.
func (s *Speed) Value() float64 { return 1 + s.deviation }

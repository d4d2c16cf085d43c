package node

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// serviceTimes measures how long one function holds a server here.
type serviceTimes struct {
	mu       sync.Mutex
	count    int
	mean     float64 // seconds
	variance float64
	recent   [32]float64 // ring, for the 10th percentile
	current  sched.Service
}

func newServiceTimes() *serviceTimes { return &serviceTimes{current: sched.Service{Spread: 1}} }

// spreadAfter is how many services are taken before their spread is believed.
const spreadAfter = 10

// outlier bounds a single measurement, in means: a process that hung for
// seconds must not make the function look slow for its next hundred calls. Of
// memoryless services one in three thousand is longer.
const outlier = 8

// add takes one measurement: a moving mean of gain max(0.02, 1/count), so that
// the first ones count fully and a change shows within some 50 services.
func (s *serviceTimes) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := d.Seconds()
	if s.count >= spreadAfter {
		x = min(x, outlier*s.mean)
	}
	s.recent[s.count%len(s.recent)] = x
	s.count++
	gain := max(0.02, 1/float64(s.count))
	delta := x - s.mean
	s.mean += gain * delta
	s.variance = (1 - gain) * (s.variance + gain*delta*delta)
	s.current.Mean = time.Duration(s.mean * float64(time.Second))
	if s.count >= spreadAfter && s.count%4 == 0 {
		s.current.Spread = min(1, math.Sqrt(s.variance)/max(s.mean, 1e-9))
		s.current.P10 = s.percentile10()
	}
}

func (s *serviceTimes) percentile10() time.Duration {
	n := min(s.count, len(s.recent))
	sorted := s.recent
	slices.Sort(sorted[:n])
	return time.Duration(sorted[n/10] * float64(time.Second))
}

func (s *serviceTimes) get() sched.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// rate counts events per second, forgetting exponentially.
type rate struct {
	mu    sync.Mutex
	value float64
	last  time.Duration
}

// rateMemory is the time after which an event counts for 1/e.
const rateMemory = 5 * time.Second

func (r *rate) tick(now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decay(now)
	r.value += 1 / rateMemory.Seconds()
}

func (r *rate) get(now time.Duration) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decay(now)
	return r.value
}

func (r *rate) decay(now time.Duration) {
	if now > r.last {
		r.value *= math.Exp(-float64(now-r.last) / float64(rateMemory))
		r.last = now
	}
}

package node

import (
	"math"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// serviceTimes measures how long one function holds a server here.
type serviceTimes struct {
	mu    sync.Mutex
	stats sched.ServiceStats
	count int
	whole float64 // mean in seconds that leaves nothing out, unlike that of stats
}

// newest is the least share of the newest one in whole.
const newest = 0.02

func (s *serviceTimes) add(d time.Duration) sched.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.whole += max(newest, 1/float64(s.count)) * (d.Seconds() - s.whole)
	s.stats.Add(d)
	return s.stats.Service()
}

func (s *serviceTimes) get() sched.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats.Service()
}

// mean is of all of them: who is mostly over at once and seldom takes a second is
// not brief.
func (s *serviceTimes) mean() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.whole * float64(time.Second))
}

// mixture is the mean over all that runs here, whatever the function.
type mixture struct {
	mu  sync.Mutex
	mix sched.Mix
}

func (m *mixture) add(of sched.Service) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mix.Add(of)
}

func (m *mixture) get() sched.Service {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mix.Service()
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

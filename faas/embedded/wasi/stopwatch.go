package wasi

import (
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// stopwatch counts the time between the waits of one invocation: for so long it
// had a processor or was ready for one.
type stopwatch struct {
	mu    sync.Mutex // guards what follows
	since time.Time  // zero while it stands
	total time.Duration
}

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = time.Now()
}

func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() {
		s.total += time.Since(s.since)
		s.since = time.Time{}
	}
}

// CPUTime implements child's Consumer.
func (s *stopwatch) CPUTime() faas.CPUTime {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := s.total
	if !s.since.IsZero() {
		used += time.Since(s.since)
	}
	return faas.CPUTime{Used: used}
}

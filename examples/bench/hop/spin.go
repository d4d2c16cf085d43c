package hop

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// spin keeps every core from halting: waking one up can cost more than a hop.
// Its threads are of the scheduler's idle class, so that all others go before.
type spin struct {
	stop atomic.Bool
	all  sync.WaitGroup
}

func newSpin(Setting) (server, error) {
	s := &spin{}
	cores := runtime.NumCPU()
	ready := make(chan error, cores)
	for range cores {
		s.all.Go(func() { s.turn(ready) }) // ends with Close
	}
	for range cores {
		if err := <-ready; err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *spin) turn(ready chan<- error) {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0)
	if err != nil {
		ready <- fmt.Errorf("join the idle class: %w", err)
		return
	}
	ready <- nil
	for !s.stop.Load() {
	}
}

func (s *spin) Addr() string { return "none" }

func (s *spin) Close() error {
	s.stop.Store(true)
	s.all.Wait()
	return nil
}

package live

import (
	"os/exec"
	"runtime"
)

// starter starts processes that end with this one, even if it is killed. To the
// kernel their parent is the thread that started them: it is one thread, which
// ends with Close, and what it has started and is still there with it.
type starter struct {
	jobs  chan func()
	ended chan struct{}
}

func newStarter() *starter {
	s := &starter{jobs: make(chan func()), ended: make(chan struct{})}
	go func() { // ends with Close, and its thread with it, since it stays locked
		defer close(s.ended)
		runtime.LockOSThread()
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	s.jobs <- func() { done <- cmd.Start() }
	return <-done
}

func (s *starter) Close() {
	close(s.jobs)
	<-s.ended
}

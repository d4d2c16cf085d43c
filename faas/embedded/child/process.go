package child

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// Process is a started child and its process group.
type Process struct {
	process *os.Process
	done    chan struct{}
	state   *os.ProcessState // set before done is closed

	mu     sync.Mutex // guards what follows, and that no signal is sent after reaped
	reaped bool
	meter  meter
}

// PID is the process id and that of the group.
func (p *Process) PID() int { return p.process.Pid }

// Done is closed when the process has ended and its group was killed.
func (p *Process) Done() <-chan struct{} { return p.done }

// State tells how the process ended; it is valid once Done is closed.
func (p *Process) State() *os.ProcessState { return p.state }

// Kill ends the whole group at once.
func (p *Process) Kill() { p.signal(syscall.SIGKILL) }

// Stop asks the group to end by SIGTERM, kills it after grace, and waits.
func (p *Process) Stop(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Kill()
		<-p.done
	}
}

func (p *Process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.PID(), sig)
	}
}

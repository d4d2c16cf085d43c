package child

import (
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

// Process is a started child and its process group.
type Process struct {
	process *os.Process
	done    chan struct{}
	state   *os.ProcessState // set before done is closed

	group       *cgroup.Group // nil: the node's own
	killsBefore int64         // in the group, when it started
	exceeded    bool          // set before done is closed

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

// Exit says how the process ended, as "exit status 2" or "signal: killed"; it is
// valid once Done is closed.
func (p *Process) Exit() string {
	if p.state == nil {
		return "exit status unknown"
	}
	if p.exceeded {
		return p.state.String() + ": it exceeded its memory limit of " + cgroup.Bytes(p.group.Limits().Memory)
	}
	return p.state.String()
}

// judge tells whether the process ended for want of memory: it was killed, or
// says that a child of its was (a shell's status 137), and somebody in its group
// was for that reason since it started. Others in the same group can be meant.
func (p *Process) judge() {
	if p.group == nil || p.state == nil || p.group.Kills() == p.killsBefore {
		return
	}
	const childKilled = 128 + int(syscall.SIGKILL)
	status, ok := p.state.Sys().(syscall.WaitStatus)
	p.exceeded = ok && (status.Signaled() && status.Signal() == syscall.SIGKILL || status.ExitStatus() == childKilled)
}

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

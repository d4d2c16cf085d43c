//go:build !linux

package child

import (
	"errors"
	"os"
	"syscall"
)

func attributes(as *User) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(as.UID), Gid: uint32(as.GID)}
	}
	return attr
}

func startInGroup(Command) (*os.Process, error) {
	return nil, errors.New("there are no control groups on this system")
}

func confineThread() {}

// reap waits for the process, then kills the rest of its group. Between the
// two its id is free; no portable wait leaves a zombie.
func (p *Process) reap() {
	state, _ := p.process.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.state, p.reaped = state, true
}

package child

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func attributes(as *User) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(as.UID), Gid: uint32(as.GID)}
	}
	return attr
}

// confineThread makes all that is started from this thread unable to gain
// privileges by a setuid file. An ordinary user's functions may: they gain no
// more than the user could.
func confineThread() {
	if os.Geteuid() != 0 {
		return
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		log.Warnw("functions may gain privileges", "error", err)
	}
}

// reap waits for the process. The rest of its group is killed while its id
// cannot yet be another's.
func (p *Process) reap() {
	awaitExit(p.PID())
	p.mu.Lock()
	defer p.mu.Unlock()
	last, _ := readThreadTime("/proc/" + strconv.Itoa(p.PID()) + "/schedstat") // of its main thread
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.state, _ = p.process.Wait()
	p.meter.close(p.PID(), last, p.state)
	p.reaped = true
}

// awaitExit returns when the process has ended and leaves it a zombie, so that
// its id stays taken.
func awaitExit(pid int) {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return
		}
	}
}

package child

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

func attributes(as *User) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(as.UID), Gid: uint32(as.GID)}
	}
	return attr
}

// startInGroup starts a process that stops before its first instruction, puts it
// into its group, and lets it run: nothing that it starts can be elsewhere. The
// kernel could start it inside the group (CLONE_INTO_CGROUP), but then it would
// have to get as far as its program on that group's processor time, and until
// then this whole process, whose memory it borrows, cannot collect garbage.
func startInGroup(c Command) (*os.Process, error) {
	attr := attributes(c.RunAs)
	attr.Ptrace = true
	p, err := startWith(c, attr)
	if err != nil {
		return nil, err
	}
	if err = place(p.Pid, c.Group); err != nil {
		_ = p.Kill()
		_, _ = p.Wait()
		return nil, err
	}
	return p, nil
}

// place moves a process that is traced by this thread, and ends the tracing. One
// that has died meanwhile is left to whoever waits for it.
func place(pid int, g *cgroup.Group) error {
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return fmt.Errorf("await start of process: %w", err)
		case !status.Stopped():
			return errors.New("process ended before it began")
		case status.StopSignal() == syscall.SIGTRAP:
			if err := g.Add(pid); err != nil {
				return err
			}
			return syscall.PtraceDetach(pid)
		default: // a signal came before
			if err := syscall.PtraceCont(pid, int(status.StopSignal())); err != nil {
				return fmt.Errorf("go on starting process: %w", err)
			}
		}
	}
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

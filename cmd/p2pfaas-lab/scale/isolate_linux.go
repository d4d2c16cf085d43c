package scale

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Isolated makes cmd, not started yet, run in a network of its own that has
// nothing but a loopback, which [Open] opens. It takes no privileges where the
// system lets users make namespaces.
func Isolated(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return nil
}

// Open opens the loopback of this process's network. It refuses to touch a network
// that has anything else: that one is the machine's.
func Open() error {
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	if len(all) != 1 || all[0].Name != "lo" {
		return errors.New("this is not a network of its own")
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open loopback: %w", err)
	}
	defer func() { _ = unix.Close(socket) }() // nothing is written to it
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("open loopback: %w", err)
	}
	return nil
}

// withUs has a process end with the one that started it, and spares it the
// signals of the keyboard.
func withUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// GiveWay lets whatever else the machine does go first. The priority is one of
// threads: those that are here get it, and pass it on to those that they start.
func GiveWay() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	const low = 10
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err == nil {
			err = syscall.Setpriority(syscall.PRIO_PROCESS, id, low)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) { // it has ended meanwhile
			return fmt.Errorf("lower the priority: %w", err)
		}
	}
	return nil
}

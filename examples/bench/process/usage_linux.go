package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// childOf makes the child end with the process that started it.
func childOf() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// CPU is the processor time that a process has used, in user and system mode,
// all threads together. 0 is this process.
func CPU(pid int) (time.Duration, error) {
	clock := int32(unix.CLOCK_PROCESS_CPUTIME_ID)
	if pid != 0 {
		clock = ^int32(pid)<<3 | 2 // CPUCLOCK_SCHED of that process, as clock_getcpuclockid(3) makes it
	}
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// name is a process's folder in /proc.
func name(pid int) string {
	if pid == 0 {
		return "self"
	}
	return strconv.Itoa(pid)
}

// Resident is the anonymous memory of a process that is in RAM, in bytes.
func Resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%s/status", name(pid)))
	if err != nil {
		return 0, err
	}
	return parseAnonymous(string(text))
}

// parseAnonymous reads RssAnon of /proc/PID/status.
func parseAnonymous(status string) (int64, error) {
	for line := range strings.Lines(status) {
		value, found := strings.CutPrefix(line, "RssAnon:")
		if !found {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		return kilobytes << 10, err
	}
	return 0, fmt.Errorf("no RssAnon in %d bytes of status", len(status))
}

// Open is the number of file descriptors that a process has open.
func Open(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%s/fd", name(pid)))
	return len(entries), err
}

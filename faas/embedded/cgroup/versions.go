package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// setMemory limits memory and, where the kernel counts it, swap with it.
func (p place) setMemory(folder string, bytes int64) error {
	limit := strconv.FormatInt(bytes, 10)
	file, swapFile, swap := "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", limit
	if p.unified {
		file, swapFile, swap = "memory.max", "memory.swap.max", "0"
	}
	if err := write(folder, file, limit); err != nil {
		return err
	}
	if err := write(folder, swapFile, swap); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// The kernel accepts quotas of at least 1 ms and periods of at most 1 s.
const (
	period     = 100_000 // µs
	longPeriod = 1_000_000
	leastQuota = 1000
)

// quota returns the time in each period, in µs, that is so many thousandths of
// a core.
func quota(milli int64) (quota, per int64) {
	if q := milli * period / 1000; q >= leastQuota {
		return q, period
	}
	return max(milli*longPeriod/1000, leastQuota), longPeriod
}

func (p place) setCPU(folder string, milli int64) error {
	quota, per := quota(milli)
	if p.unified {
		return write(folder, "cpu.max", fmt.Sprintf("%d %d", quota, per))
	}
	if err := write(folder, "cpu.cfs_period_us", strconv.FormatInt(per, 10)); err != nil {
		return err
	}
	return write(folder, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
}

// meter reads what a group takes of memory; the zero one knows nothing.
type meter struct{ usageFile, statFile, inactive, killFile string }

func (p place) meter(folder string) meter {
	if p.unified {
		return meter{filepath.Join(folder, "memory.current"), filepath.Join(folder, "memory.stat"), "inactive_file", filepath.Join(folder, "memory.events")}
	}
	return meter{filepath.Join(folder, "memory.usage_in_bytes"), filepath.Join(folder, "memory.stat"), "total_inactive_file", filepath.Join(folder, "memory.oom_control")}
}

func (m meter) usage() (int64, bool) {
	if m.usageFile == "" {
		return 0, false
	}
	text, err := os.ReadFile(m.usageFile)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return max(n-field(m.statFile, m.inactive), 0), err == nil
}

func (m meter) kills() int64 {
	if m.killFile == "" {
		return 0
	}
	return field(m.killFile, "oom_kill")
}

// field reads one of the lines "name number" of a file, 0 if it is not there.
func field(file, name string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	return parseField(string(text), name)
}

func parseField(text, name string) int64 {
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), " ")
		if key != name {
			continue
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// nodeGroup is where this process goes when its own group gets groups below it.
const nodeGroup = "node"

// delegate lets groups below folder have a controller (version 2). The kernel
// refuses that to a group that has processes of its own.
func delegate(folder, controller string) error {
	if lists(folder, "cgroup.subtree_control", controller) {
		return nil
	}
	err := write(folder, "cgroup.subtree_control", "+"+controller)
	if errors.Is(err, syscall.EBUSY) {
		if err := makeRoom(folder); err != nil {
			return err
		}
		err = write(folder, "cgroup.subtree_control", "+"+controller)
	}
	return err
}

// makeRoom moves this process out of a group in which it is alone.
func makeRoom(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return err
	}
	self := strconv.Itoa(os.Getpid())
	if members := strings.Fields(string(text)); len(members) != 1 || members[0] != self {
		return fmt.Errorf("control group %s holds other processes than this one; give the node one of its own (systemd: Delegate=yes)", folder)
	}
	below := filepath.Join(folder, nodeGroup)
	if err := mkdir(below); err != nil {
		return err
	}
	return write(below, "cgroup.procs", self)
}

func lists(folder, file, controller string) bool {
	text, err := os.ReadFile(filepath.Join(folder, file))
	return err == nil && slices.Contains(strings.Fields(string(text)), controller)
}

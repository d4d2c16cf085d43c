package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Group is a control group and its limits. It is safe for concurrent use.
type Group struct {
	limits  Limits
	folders []string // one, or one for each controller
	memory  meter
}

// New makes a group. The name is for people: a group gets a folder of its own
// also where there is one of that name.
func (h *Hierarchy) New(name string, l Limits) (*Group, error) {
	g := &Group{limits: l}
	number, err := h.begin()
	if err != nil {
		return nil, err
	}
	name = strconv.Itoa(number) + "-" + name
	if l.Memory > 0 {
		if err := g.limit(h.memory, name, func(folder string) error { return h.memory.setMemory(folder, l.Memory) }); err != nil {
			return nil, errors.Join(err, g.Remove())
		}
		g.memory = h.memory.meter(filepath.Join(h.memory.folder, name))
	}
	if l.CPU > 0 {
		if err := g.limit(h.cpu, name, func(folder string) error { return h.cpu.setCPU(folder, l.CPU) }); err != nil {
			return nil, errors.Join(err, g.Remove())
		}
	}
	return g, nil
}

func (g *Group) limit(p place, name string, set func(folder string) error) error {
	if p.why != nil {
		return p.why
	}
	folder := filepath.Join(p.folder, name)
	if err := mkdir(folder); err != nil {
		return err
	}
	if !slices.Contains(g.folders, folder) {
		g.folders = append(g.folders, folder)
	}
	return set(folder)
}

// Limits are what the group was made with.
func (g *Group) Limits() Limits { return g.limits }

// Add puts a process into the group: what it starts from now on is in it too.
func (g *Group) Add(pid int) error {
	for _, folder := range g.folders {
		if err := write(folder, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("put process into control group: %w", err)
		}
	}
	return nil
}

// Memory is what the group takes now, in bytes, file pages that can be dropped
// left out. It is false without a limit of memory.
func (g *Group) Memory() (int64, bool) { return g.memory.usage() }

// Kills counts the processes that were killed since the group was made because
// it would have exceeded its memory. A nil Group has none.
func (g *Group) Kills() int64 {
	if g == nil {
		return 0
	}
	return g.memory.kills()
}

// Remove kills what is in the group and removes it.
func (g *Group) Remove() error {
	var errs []error
	for _, folder := range g.folders {
		errs = append(errs, removeTree(folder))
	}
	return errors.Join(errs...)
}

// patience is how long the members of a group may take to die.
const patience = 2 * time.Second

// removeTree kills all that is in a folder and in those below it, and removes
// them. Absence is no error.
func removeTree(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	for pause, deadline := time.Millisecond, time.Now().Add(patience); ; pause *= 2 {
		killAll(folder)
		err := os.Remove(folder)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if time.Now().Add(pause).After(deadline) {
			return fmt.Errorf("remove control group: %w", err)
		}
		time.Sleep(pause)
	}
}

// killAll kills the processes of one group, except this one.
func killAll(folder string) {
	text, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return
	}
	for _, field := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func write(folder, file, value string) error {
	f, err := os.OpenFile(filepath.Join(folder, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("set %s to %s: %w", file, value, err)
	}
	return nil
}

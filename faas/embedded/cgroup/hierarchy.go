package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	logging "github.com/ipfs/go-log/v2"
)

var log = logging.Logger("p2pfaas/cgroup")

// Limits of a group; 0 is none.
type Limits struct {
	Memory int64 // bytes
	CPU    int64 // thousandths of a core
}

// controllers that limits need.
const (
	memory = "memory"
	cpu    = "cpu"
)

// Hierarchy is where groups are made.
type Hierarchy struct {
	memory, cpu place
	note        string // the file that tells a later run of the folders

	mu   sync.Mutex // guards what follows; held while folders are made
	made int        // groups so far
}

// place is the folder that groups are made in for one controller.
type place struct {
	folder  string
	unified bool
	why     error // there is none
}

// Open finds where groups can be made, in a folder of that name below the
// control groups of this process, and removes what an earlier run left in such
// folders. They are made with the first group, and a file in dir tells of them.
// What cannot be done is told by Memory and CPU.
func Open(name, dir string) *Hierarchy {
	h := &Hierarchy{note: filepath.Join(dir, "cgroups")}
	h.sweep(name)
	mounts, in, err := system()
	if err != nil {
		h.memory.why, h.cpu.why = err, err
		return h
	}
	h.memory, h.cpu = openPlace(mounts, in, memory, name), openPlace(mounts, in, cpu, name)
	return h
}

// begin makes the folders for groups, and returns the number of the next group.
func (h *Hierarchy) begin() (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.made == 0 {
		if err := os.WriteFile(h.note, []byte(strings.Join(h.folders(), "\n")), 0o600); err != nil {
			return 0, fmt.Errorf("note control groups: %w", err)
		}
		for c, p := range map[string]place{memory: h.memory, cpu: h.cpu} {
			if p.why != nil {
				continue
			}
			if err := p.make(c); err != nil {
				return 0, err
			}
		}
	}
	h.made++
	return h.made, nil
}

func system() ([]mount, map[string]string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, nil, errNone
	}
	in, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, nil, errNone
	}
	return parseMounts(string(mounts)), parseMembership(string(in)), nil
}

func openPlace(mounts []mount, in map[string]string, controller, name string) place {
	parent, unified, err := own(mounts, in, controller, func(folder string) bool { return lists(folder, "cgroup.controllers", controller) })
	if filepath.Base(parent) == nodeGroup && unified {
		parent = filepath.Dir(parent) // this process has moved before
	}
	if err == nil && unified {
		err = delegate(parent, controller)
	}
	p := place{folder: filepath.Join(parent, name), unified: unified}
	if err == nil {
		err = p.make(controller)
	}
	if err == nil {
		err = os.Remove(p.folder) // it was a trial
	}
	if err != nil {
		return place{why: err}
	}
	return p
}

// make makes the folder, and lets the groups in it have a controller.
func (p place) make(controller string) error {
	if err := mkdir(p.folder); err != nil || !p.unified {
		return err
	}
	return delegate(p.folder, controller)
}

func mkdir(folder string) error {
	if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make control group: %w", err)
	}
	return nil
}

// Memory returns nil if memory can be limited, else why not.
func (h *Hierarchy) Memory() error { return h.memory.why }

// CPU returns nil if processor time can be limited, else why not.
func (h *Hierarchy) CPU() error { return h.cpu.why }

// folders lists where groups are made, each once.
func (h *Hierarchy) folders() []string {
	var all []string
	for _, p := range []place{h.memory, h.cpu} {
		if p.why == nil && !slices.Contains(all, p.folder) {
			all = append(all, p.folder)
		}
	}
	return all
}

// Close removes the folders. The groups in them must have been removed.
func (h *Hierarchy) Close() error {
	var errs []error
	for _, folder := range h.folders() {
		errs = append(errs, removeTree(folder))
	}
	if err := os.Remove(h.note); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sweep removes the folders that an earlier run noted. A note is not trusted
// with other folders than those of this name.
func (h *Hierarchy) sweep(name string) {
	text, err := os.ReadFile(h.note)
	if err != nil {
		return
	}
	for _, folder := range strings.Split(string(text), "\n") {
		if filepath.Base(folder) != name || !filepath.IsAbs(folder) {
			continue
		}
		if err := removeTree(folder); err != nil {
			log.Warnw("control groups of an earlier run are left", "folder", folder, "error", err)
		}
	}
}

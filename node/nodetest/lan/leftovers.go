//go:build linux

package lan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// namePrefix begins the names of all our namespaces; the process ID of whoever
// made them follows.
const namePrefix = "p2pfaas-lan-"

func newPrefix() string {
	return fmt.Sprintf("%s%d-%06x", namePrefix, os.Getpid(), rand.Uint32()&0xffffff)
}

// clearLeftovers removes the namespaces of processes that are no more, and ends
// what runs in them.
func clearLeftovers() error {
	entries, err := os.ReadDir(namespaces)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var failed []error
	for _, e := range entries {
		if owner, ok := ownerOf(e.Name()); ok && !alive(owner) {
			failed = append(failed, clearOne(e.Name()))
		}
	}
	return errors.Join(failed...)
}

// ownerOf reads the process ID in the name of a namespace of ours.
func ownerOf(name string) (pid int, ok bool) {
	rest, ours := strings.CutPrefix(name, namePrefix)
	first, _, cut := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(first)
	return pid, ours && cut && err == nil && pid > 0
}

func alive(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }

// clearOne takes a namespace that vanishes meanwhile as cleared: others clear too.
func clearOne(name string) error {
	// Without an answer there is nobody left who could give one.
	inhabitants, _ := exec.Command("ip", "netns", "pids", name).Output()
	for _, field := range strings.Fields(string(inhabitants)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	err := ip("netns", "del", name)
	if _, gone := os.Stat(filepath.Join(namespaces, name)); errors.Is(gone, os.ErrNotExist) {
		return nil
	}
	return err
}

package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// unbounded is from where on a limit is none: version 1 writes "no limit" as the
// largest number of pages.
const unbounded = 1 << 60

// OwnMemory is the least limit of memory, in bytes, that holds for this process:
// that of its own group or of one around it. It is false where there is none.
func OwnMemory() (int64, bool) {
	mounts, in, err := system()
	if err != nil {
		return 0, false
	}
	return leastMemory(mounts, in)
}

func leastMemory(mounts []mount, in map[string]string) (least int64, limited bool) {
	for _, m := range mounts {
		folder, unified, err := own([]mount{m}, in, memory, func(string) bool { return true })
		if err != nil {
			continue
		}
		file := "memory.limit_in_bytes"
		if unified {
			file = "memory.max"
		}
		for ; within(m.point, folder); folder = filepath.Dir(folder) {
			if n, ok := readLimit(filepath.Join(folder, file)); ok && (!limited || n < least) {
				least, limited = n, true
			}
		}
	}
	return least, limited
}

func within(point, folder string) bool {
	rel, err := filepath.Rel(point, folder)
	return err == nil && filepath.IsLocal(rel)
}

// readLimit is false where there is no such file, or no limit in it.
func readLimit(file string) (int64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is none
	return n, err == nil && n > 0 && n < unbounded
}

package node

import (
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

func TestPresetFor(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		machine string
		name    string
		room    room
		want    string
	}{
		{"Pi Zero 2 W", PresetAuto, room{416 * mb, 4}, PresetSmall},
		{"Pi 3 B+", PresetAuto, room{921 * mb, 4}, PresetSmall},
		{"Pi 4 with 2 GB", PresetAuto, room{1848 * mb, 4}, PresetStandard},
		{"Pi 5 with 8 GB", PresetAuto, room{8064 * mb, 4}, PresetStandard},
		{"virtual machine with one core", PresetAuto, room{1983 * mb, 1}, PresetSmall},
		{"one core, much memory", PresetAuto, room{3943 * mb, 1}, PresetStandard},
		{"container of 256 MB on a server", PresetAuto, room{256 * mb, 64}, PresetSmall},
		{"exactly 1 GB", PresetAuto, room{1024 * mb, 2}, PresetStandard},
		{"not known", "", room{math.MaxInt64, 2}, PresetStandard},
		{"server, asked to be modest", PresetSmall, room{64 << 30, 64}, PresetSmall},
		{"Pi Zero, asked for all", PresetStandard, room{416 * mb, 1}, PresetStandard},
	} {
		t.Run(c.machine, func(t *testing.T) {
			if got := presetFor(c.name, c.room); got.name != c.want {
				t.Errorf("preset %q, want %q", got.name, c.want)
			}
		})
	}
}

// What is not bounded by the preset is not bounded at all.
func TestPresetsAreComplete(t *testing.T) {
	small, standard := presetFor(PresetSmall, room{}), presetFor(PresetStandard, room{})
	if !small.small || standard.small {
		t.Error("the host's sizes are the wrong way round")
	}
	for what, of := range map[string]func(p preset) int64{
		"neighbours": func(p preset) int64 { return int64(p.neighbours) },
		"degree":     func(p preset) int64 { return int64(p.degree) },
		"streams":    func(p preset) int64 { return int64(p.streams) },
		"max-open":   func(p preset) int64 { return int64(p.maxOpen) },
		"replay":     func(p preset) int64 { return p.replay },
		"calls":      func(p preset) int64 { return int64(p.calls) },
	} {
		if s, l := of(small), of(standard); s <= 0 || s >= l {
			t.Errorf("%s: %d on a small machine, %d on another", what, s, l)
		}
	}
}

// The runtime reads GOMEMLIMIT when a process begins, so each case is a process:
// this test, which then prints the limit that it has set, and the one in force.
func TestLimitMemory(t *testing.T) {
	const child = "P2PFAAS_TEST_LIMIT_MEMORY"
	if os.Getenv(child) != "" {
		t.Log("limits:", LimitMemory(), debug.SetMemoryLimit(-1), ownRoom().memory)
		return
	}
	half := max(ownRoom().memory/2, leastSoft)
	for _, c := range []struct {
		name, env        string
		set, force, room int64
	}{
		{"nothing configured", "", half, half, ownRoom().memory},
		{"by the operator", "100MiB", 0, 100 << 20, 100 << 20},
		{"switched off by the operator", "off", 0, math.MaxInt64, ownRoom().memory},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestLimitMemory$", "-test.v")
			cmd.Env = append(os.Environ(), child+"=1", "GOMEMLIMIT="+c.env)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, after, _ := strings.Cut(string(out), "limits: ")
			line, _, _ := strings.Cut(after, "\n")
			for i, want := range []int64{c.set, c.force, c.room} {
				if got := strings.Fields(line); len(got) != 3 || got[i] != strconv.FormatInt(want, 10) {
					t.Errorf("%q: want %d, %d, %d", line, c.set, c.force, c.room)
					break
				}
			}
		})
	}
}

package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hierarchy opens the machine's own, or skips the test.
func hierarchy(t *testing.T, dir string) *Hierarchy {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make control groups")
	}
	h := Open("p2pfaas-test-"+filepath.Base(filepath.Dir(dir)), dir)
	if err := errors.Join(h.Memory(), h.CPU()); err != nil {
		t.Skipf("this machine has no control groups to limit with: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		for _, folder := range h.folders() {
			if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is left: %v", folder, err)
			}
		}
	})
	return h
}

func group(t *testing.T, h *Hierarchy, l Limits) *Group {
	t.Helper()
	g, err := h.New("f", l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// run starts a shell that waits for a line before it does what it is told, so
// that it is in the group by then.
func run(t *testing.T, g *Group, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read go; "+script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.Add(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	return cmd
}

const hog = "x=0123456789abcdef; while :; do x=$x$x; done"

func TestMemoryLimit(t *testing.T) {
	h := hierarchy(t, t.TempDir())
	g := group(t, h, Limits{Memory: 16 << 20})
	if err := run(t, g, hog).Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("ended with %v", err)
	}
	if n := g.Kills(); n != 1 {
		t.Errorf("%d were killed", n)
	}
	modest := group(t, h, Limits{Memory: 16 << 20})
	cmd := run(t, modest, "x=$(head -c 3000000 /dev/zero | tr '\\0' a); read more")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		n, ok := modest.Memory()
		if n > 3_000_000 && n <= 16<<20 && ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("uses %d bytes, %v", n, ok)
		}
	}
	if err := modest.Remove(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil || modest.Kills() != 0 {
		t.Errorf("ended with %v, %d killed for memory", err, modest.Kills())
	}
}

func TestCPULimit(t *testing.T) {
	h := hierarchy(t, t.TempDir())
	g := group(t, h, Limits{CPU: 100})
	cmd := run(t, g, "while :; do :; done")
	time.Sleep(time.Second)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); used > 500*time.Millisecond {
		t.Errorf("a tenth of a core for 1 s was %v", used)
	}
}

// TestLeftovers: what a killed node leaves is ended by the next one.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	h := hierarchy(t, dir)
	g := group(t, h, Limits{Memory: 16 << 20, CPU: 500})
	cmd := run(t, g, "sleep 300 & wait")
	if next := Open(filepath.Base(h.memory.folder), dir); next.Memory() != nil {
		t.Error(next.Memory())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it is not ended")
	}
	for _, folder := range g.folders {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", folder, err)
		}
	}
	if len(g.folders) == 0 {
		t.Error("there was no group: this tests nothing")
	}
}

// TestNoteIsNotTrusted: only folders of the right name are removed.
func TestNoteIsNotTrusted(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := errors.Join(os.Mkdir(victim, 0o700), os.WriteFile(filepath.Join(dir, "cgroups"), []byte(victim+"\n../x\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	(&Hierarchy{note: filepath.Join(dir, "cgroups")}).sweep("p2pfaas-1")
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
}

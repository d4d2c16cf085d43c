package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files of a folder, as the kernel would show them.
func files(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestVersion2 checks what is written; the test of real limits runs where the
// kernel has the controllers in version 2.
func TestVersion2(t *testing.T) {
	p := place{unified: true}
	dir := files(t, "memory.max", "memory.swap.max", "cpu.max")
	if err := p.setMemory(dir, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := p.setCPU(dir, 250); err != nil {
		t.Fatal(err)
	}
	got := content(t, dir, "memory.max") + " " + content(t, dir, "memory.swap.max") + ", " + content(t, dir, "cpu.max")
	if got != "67108864 0, 25000 100000" {
		t.Errorf("wrote %s", got)
	}
	if err := p.setMemory(files(t, "memory.max"), 1<<20); err != nil {
		t.Errorf("a kernel that does not limit swap: %v", err)
	}
	if err := p.setMemory(files(t), 1<<20); err == nil {
		t.Error("no limit was set, and no error")
	}
}

func TestMeter(t *testing.T) {
	dir := files(t)
	for name, text := range map[string]string{
		"memory.current": "5000\n", "memory.stat": "anon 1\ninactive_file 1500\n", "memory.events": "low 0\noom 3\noom_kill 2\noom_group_kill 7\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := place{unified: true}.meter(dir)
	if n, ok := m.usage(); n != 3500 || !ok || m.kills() != 2 {
		t.Errorf("uses %d %v, %d killed", n, ok, m.kills())
	}
	if n, ok := (meter{}).usage(); n != 0 || ok || (meter{}).kills() != 0 {
		t.Errorf("without a limit it uses %d %v", n, ok)
	}
}

// TestDelegate: a controller is passed on; other members are not moved away.
func TestDelegate(t *testing.T) {
	dir := files(t, "cgroup.subtree_control", "cgroup.procs")
	if err := delegate(dir, memory); err != nil || content(t, dir, "cgroup.subtree_control") != "+memory" {
		t.Errorf("%q, %v", content(t, dir, "cgroup.subtree_control"), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("1\n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeRoom(dir); err == nil || !strings.Contains(err.Error(), "Delegate=yes") {
		t.Errorf("error %v", err)
	}
}

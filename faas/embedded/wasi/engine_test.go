package wasi_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
)

// codeOf is the machine code on disk of a module.
func codeOf(t *testing.T, dir string, module []byte) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, digestOf(module), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func runOnce(t *testing.T, dir string, module []byte) {
	t.Helper()
	b := newBed(t, module, wasi.Config{Engine: wasi.NewEngine(dir)})
	if _, got, err := b.post("hello"); got != "hello" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	b.runner.Close()
}

// TestMachineCodeIsKept and used again, which its age shows; damaged, it is made
// anew, and what another version left is removed.
func TestMachineCodeIsKept(t *testing.T) {
	dir, module := t.TempDir(), wasitest.Echo()
	runOnce(t, dir, module)
	files := codeOf(t, dir, module)
	if len(files) == 0 {
		t.Log("modules are interpreted on this machine: there is nothing to keep")
		return
	}
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	was := stat(t, files[0])
	runOnce(t, dir, module)
	if now := stat(t, files[0]); !now.ModTime().Equal(was.ModTime()) || !os.SameFile(now, was) {
		t.Error("machine code was made again")
	}
	whole := readFile(t, files[0])
	for _, damaged := range [][]byte{flipped(whole), whole[:len(whole)/2], {}} {
		if err := os.WriteFile(files[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		runOnce(t, dir, module)
		if now := readFile(t, files[0]); len(now) != len(whole) {
			t.Error("damaged machine code is still there")
		}
	}
	version := filepath.Dir(files[0])
	if err := os.Rename(version, version+"-older"); err != nil {
		t.Fatal(err)
	}
	runOnce(t, dir, module)
	if files := codeOf(t, dir, module); len(files) != 1 || filepath.Dir(files[0]) != version {
		t.Errorf("files %v", files)
	}
}

func flipped(text []byte) []byte {
	text = bytes.Clone(text)
	text[len(text)/2] ^= 0xff
	return text
}

// TestMachineCodeCannotBeKept: a disk that takes no files costs time, not the
// function.
func TestMachineCodeCannotBeKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	runOnce(t, dir, wasitest.Echo())
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestFunctionsShareCode: two functions of one module, with limits of their own.
func TestFunctionsShareCode(t *testing.T) {
	engine, module := wasi.NewEngine(t.TempDir()), wasitest.Grow(20)
	small := newBed(t, module, wasi.Config{Engine: engine, MemoryLimit: 1 << 20})
	large := newBed(t, module, wasi.Config{Engine: engine, MemoryLimit: 2 << 20})
	for range 2 {
		if resp, _, err := small.post(""); err != nil || resp.Status != 500 {
			t.Errorf("%v, %v", resp, err)
		}
		if resp, _, err := large.post(""); err != nil || resp.Status != 200 {
			t.Errorf("%v, %v", resp, err)
		}
	}
	small.runner.Close()
	if resp, _, err := large.post(""); err != nil || resp.Status != 200 {
		t.Errorf("after the other's end: %v, %v", resp, err)
	}
}

func TestForget(t *testing.T) {
	dir := t.TempDir()
	kept, dropped := wasitest.Echo(), wasitest.Say("x", "", 0)
	engine := wasi.NewEngine(dir)
	if err := engine.Forget(func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	runOnce(t, dir, kept)
	b := newBed(t, dropped, wasi.Config{Engine: engine})
	if _, _, err := b.post(""); err != nil {
		t.Fatal(err)
	}
	if err := engine.Forget(func(d string) bool { return d == digestOf(kept) }); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if len(left) != 1 || left[0].Name() != digestOf(kept) {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, got, err := b.post(""); got != "x" || err != nil {
		t.Errorf("a module that is loaded needs its file: %q, %v", got, err)
	}
}

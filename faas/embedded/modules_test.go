package embedded_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
)

func digestOf(module []byte) string {
	sum := sha256.Sum256(module)
	return hex.EncodeToString(sum[:])
}

// module writes one and returns its image.
func (b *bed) module(name string, text []byte) string {
	b.Helper()
	path := filepath.Join(b.dir, name)
	write(b, path, text)
	return "wasm:" + path
}

func (b *bed) postTo(name, body string) (*faas.Response, string, error) {
	b.Helper()
	return b.call(&faas.Request{Name: named(name), Method: "POST", Body: strings.NewReader(body), Size: int64(len(body))})
}

func (b *bed) restart() {
	b.Helper()
	if err := b.rt.Close(); err != nil {
		b.Fatal(err)
	}
	b.rt = start(b.T, testConfig(b.dir))
}

// stored are the modules on disk, and those with machine code.
func (b *bed) stored() (modules, code []string) {
	b.Helper()
	for into, pattern := range map[*[]string]string{&modules: "modules/*", &code: "cache/wasm/*"} {
		found, err := filepath.Glob(filepath.Join(b.dir, pattern))
		if err != nil {
			b.Fatal(err)
		}
		for _, path := range found {
			*into = append(*into, strings.TrimSuffix(filepath.Base(path), ".wasm"))
		}
	}
	return modules, code
}

// TestModule: an image is stored by its digest, answers as a forked process
// does, and is what it was when it was deployed, whatever becomes of its file.
func TestModule(t *testing.T) {
	b := newBed(t)
	echo := wasitest.Echo()
	image := b.module("echo.wasm", echo)
	b.deploy(faas.Function{Name: named("echo"), Image: image, Limits: &faas.Resources{Memory: "2Mi", CPU: "100m"}, ReadOnlyRootFilesystem: true})
	resp, body, err := b.postTo("echo", "hello")
	if body != "hello" || err != nil || resp.Header.Get("X-Duration-Seconds") == "" {
		t.Errorf("%v, %q, %v", resp, body, err)
	}
	st := b.status("echo")
	if st.Image != image || st.Digest != "wasm:sha256:"+digestOf(echo) || st.ColdStart <= 0 || st.AvailableReplicas != 1 {
		t.Errorf("status %+v", st)
	}
	if !strings.Contains(st.Note, "CPU 100m") || strings.Contains(st.Note, "2Mi") || strings.Contains(st.Note, "root") {
		t.Errorf("note %q", st.Note)
	}
	write(t, filepath.Join(b.dir, "echo.wasm"), wasitest.Say("another\n", "", 0))
	for _, becomes := range []string{"changed", "removed"} {
		b.restart()
		if _, body, err := b.postTo("echo", becomes); body != becomes || err != nil {
			t.Errorf("after its file was %s: %q, %v", becomes, body, err)
		}
		_ = os.Remove(filepath.Join(b.dir, "echo.wasm"))
	}
	if now := b.status("echo"); now.Digest != st.Digest || now.Fingerprint() != st.Fingerprint() {
		t.Errorf("was %+v, restored as %+v", st, now)
	}
}

// TestModuleFingerprint: the same content is the same function wherever it lies,
// and other content is another.
func TestModuleFingerprint(t *testing.T) {
	b := newBed(t)
	print := func(image string) faas.Fingerprint {
		b.deploy(faas.Function{Name: named("f"), Image: image})
		st := b.status("f")
		return st.Fingerprint()
	}
	one, same, other := b.module("one.wasm", wasitest.Echo()), b.module("same.wasm", wasitest.Echo()), b.module("other.wasm", wasitest.Spin())
	first := print(one)
	if print(same) != first || print("wasm:sha256:"+digestOf(wasitest.Echo())) != first {
		t.Error("the same module is another function by another path")
	}
	if (&faas.Function{Name: named("f"), Image: "wasm:sha256:" + digestOf(wasitest.Echo())}).Fingerprint() != first {
		t.Error("a deployment by digest has another fingerprint than what it runs")
	}
	if print(other) == first {
		t.Error("another module is the same function")
	}
	write(t, filepath.Join(b.dir, "one.wasm"), wasitest.Trap())
	if print(one) == first {
		t.Error("a changed file is the same function")
	}
}

// TestModulesAreSwept: what no deployment uses is removed with its machine code,
// when the last one goes and at a start.
func TestModulesAreSwept(t *testing.T) {
	b := newBed(t)
	expect := func(when string, want ...[]byte) {
		t.Helper()
		modules, code := b.stored()
		if len(modules) != len(want) || len(code) > len(want) {
			t.Errorf("%s: %d modules, %d with machine code, want %d", when, len(modules), len(code), len(want))
		}
		for _, m := range want {
			if !strings.Contains(strings.Join(modules, " "), digestOf(m)) {
				t.Errorf("%s: %s is not stored", when, digestOf(m))
			}
		}
	}
	echo, say := wasitest.Echo(), wasitest.Say("x", "", 0)
	b.deploy(faas.Function{Name: named("a"), Image: b.module("echo.wasm", echo)})
	b.deploy(faas.Function{Name: named("b"), Image: b.module("echo.wasm", echo)})
	b.deploy(faas.Function{Name: named("c"), Image: b.module("say.wasm", say)})
	expect("deployed", echo, say)
	if err := b.rt.Remove(t.Context(), named("a")); err != nil {
		t.Fatal(err)
	}
	expect("one of two users removed", echo, say)
	b.deploy(faas.Function{Name: named("c"), Image: b.module("echo.wasm", echo)})
	expect("replaced", echo)
	b.deploy(faas.Function{Name: named("c"), Image: "builtin:hello"})
	until(t, "the process has taken over", func() bool { st := b.status("c"); return st.Serving == nil })
	if err := b.rt.Remove(t.Context(), named("b")); err != nil {
		t.Fatal(err)
	}
	b.restart()
	expect("nothing uses it")
	write(t, filepath.Join(b.dir, "modules", "sha256-"+digestOf(say)+".wasm"), say)
	b.deploy(faas.Function{Name: named("d"), Image: "wasm:sha256:" + digestOf(say)})
	if got := b.mustGet("d"); got != "x" {
		t.Errorf("deployed by digest: %q", got)
	}
	write(t, filepath.Join(b.dir, "functions", "unreadable.json"), []byte("{"))
	write(t, filepath.Join(b.dir, "modules", "sha256-"+digestOf(echo)+".wasm"), echo)
	b.restart()
	expect("a deployment cannot be read", say, echo)
}

// TestModuleDamaged on disk is not run.
func TestModuleDamaged(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("echo"), Image: b.module("echo.wasm", wasitest.Echo())})
	path := filepath.Join(b.dir, "modules", "sha256-"+digestOf(wasitest.Echo())+".wasm")
	write(t, path, bytes.ToUpper(wasitest.Echo()))
	b.restart()
	_, _, err := b.postTo("echo", "x")
	if !errors.Is(err, faas.ErrNotStarted) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if st := b.status("echo"); st.AvailableReplicas != 0 || !strings.Contains(st.Note, "damaged") {
		t.Errorf("status %+v", st)
	}
	b.deploy(faas.Function{Name: named("echo"), Image: "wasm:" + filepath.Join(b.dir, "echo.wasm")})
	if _, body, err := b.postTo("echo", "mended"); body != "mended" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// TestModuleScalesToZero and back with the next call.
func TestModuleScalesToZero(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("echo"), Image: b.module("echo.wasm", wasitest.Echo())})
	if err := b.rt.Scale(t.Context(), named("echo"), 0); err != nil {
		t.Fatal(err)
	}
	if st := b.status("echo"); st.Replicas != 0 || st.AvailableReplicas != 0 {
		t.Errorf("status %+v", st)
	}
	b.restart()
	if st := b.status("echo"); st.Replicas != 0 || st.AvailableReplicas != 0 {
		t.Errorf("restored as %+v", st)
	}
	if _, body, err := b.postTo("echo", "woken"); body != "woken" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if st := b.status("echo"); st.Replicas != 1 || st.AvailableReplicas != 1 || st.ColdStart <= 0 {
		t.Errorf("status %+v", st)
	}
	if err := b.rt.Scale(t.Context(), named("echo"), 0); err != nil {
		t.Fatal(err)
	}
	if err := b.rt.Scale(t.Context(), named("echo"), 2); err != nil {
		t.Fatal(err)
	}
	until(t, "it is loaded without a call", func() bool { return b.status("echo").AvailableReplicas == 2 })
}

func TestModuleIsRefused(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.WasmDirs = []string{filepath.Join(dir, "shared")}
	b := &bed{t, dir, start(t, cfg)}
	if err := os.MkdirAll(filepath.Join(dir, "shared", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "shared", "etc")); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "echo.wasm")
	write(t, outside, wasitest.Echo())
	echo := b.module("echo.wasm", wasitest.Echo())
	shared := filepath.Join(dir, "shared")
	for _, tt := range []struct{ name, image, dirs, memory, says string }{
		{"outside", "wasm:" + outside, "", "", "--exec-path"},
		{"absent", "wasm:absent.wasm", "", "", "--exec-path"},
		{"folder", "wasm:" + shared, "", "", "not a regular file"},
		{"script", b.module("script.wasm", []byte("#!/bin/sh\n")), "", "", "GOOS=wasip1"},
		{"library", b.module("library.wasm", wasitest.Module{Export: "handle"}.Bytes()), "", "", "_start"},
		{"bad digest", "wasm:sha256:12", "", "", "64 digits"},
		{"path for a digest", "wasm:sha256:../../" + strings.Repeat("a", 58), "", "", "64 digits"},
		{"digest that is not stored", "wasm:sha256:" + strings.Repeat("0", 64), "", "", "wasm:PATH"},
		{"memory", b.module("large.wasm", wasitest.Module{Memory: 100}.Bytes()), "", "1Mi", "limits.memory"},
		{"folder for writing", echo, shared + ":/data", "", "reading only"},
		{"folder for writing, said", echo, shared + ":/data:rw", "", "reading only"},
		{"folder not allowed", echo, "/etc:/data:ro", "", "--wasm-dir"},
		{"folder above", echo, dir + ":/data:ro", "", "--wasm-dir"},
		{"link out", echo, shared + "/etc:/data:ro", "", "--wasm-dir"},
		{"relative folder", echo, "shared:/data:ro", "", "absolute"},
		{"relative in the function", echo, shared + ":data:ro", "", "absolute"},
		{"absent folder", echo, shared + "/absent:/data:ro", "", "absent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := faas.Function{Name: named("f"), Image: tt.image, Annotations: map[string]string{"p2pfaas.wasi.dirs": tt.dirs}, Limits: &faas.Resources{Memory: tt.memory}}
			err := b.rt.Deploy(t.Context(), f)
			if !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			if _, err := b.rt.Get(t.Context(), named("f")); !errors.Is(err, faas.ErrNotFound) {
				t.Errorf("it is deployed: %v", err)
			}
		})
	}
	for _, dirs := range []string{shared + ":/data:ro", " " + shared + "/sub:/sub/:ro , " + shared + ":/data:ro"} {
		b.deploy(faas.Function{Name: named("granted"), Image: echo, Annotations: map[string]string{"p2pfaas.wasi.dirs": dirs}})
	}
}

// TestModuleIsEnded by its removal and by the Runtime's end.
func TestModuleIsEnded(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.Grace = 200 * time.Millisecond
	b := &bed{t, dir, start(t, cfg)}
	image := b.module("spin.wasm", wasitest.Spin())
	for _, how := range []string{"remove", "close"} {
		b.deploy(faas.Function{Name: named(how), Image: image})
		failed := make(chan error, 1)
		go func() {
			_, err := b.rt.Invoke(context.Background(), &faas.Request{Name: named(how)})
			failed <- err
		}()
		until(t, "the call runs", func() bool { return b.status(how).Invocations == 1 })
		var err error
		if how == "remove" {
			err = b.rt.Remove(t.Context(), named(how))
		} else {
			err = b.rt.Close()
		}
		if err != nil {
			t.Error(err)
		}
		if err := <-failed; err == nil || errors.Is(err, faas.ErrNotStarted) {
			t.Errorf("%s: the call ended with %v", how, err)
		}
	}
}

// TestModuleCPUTime: what a module computes is charged to its function, also
// after that was deployed again.
func TestModuleCPUTime(t *testing.T) {
	b := newBed(t)
	image := b.module("spin.wasm", wasitest.Spin())
	b.deploy(faas.Function{Name: named("spin"), Image: image, EnvVars: map[string]string{"exec_timeout": "50ms"}})
	if _, ok := b.rt.CPUTime(named("spin")); !ok {
		t.Log("this system does not tell what functions take")
		return
	}
	if resp, _, err := b.postTo("spin", ""); err != nil || resp.Status != 408 {
		t.Fatalf("%v, %v", resp, err)
	}
	was, _ := b.rt.CPUTime(named("spin"))
	if was.Used+was.Waited < 20*time.Millisecond {
		t.Errorf("50ms of computing are charged as %+v", was)
	}
	b.deploy(faas.Function{Name: named("spin"), Image: image})
	if now, ok := b.rt.CPUTime(named("spin")); !ok || now.Used < was.Used {
		t.Errorf("was %+v, after it was deployed again %+v", was, now)
	}
}

// TestModuleAlias: an ordinary image name stands for a module.
func TestModuleAlias(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	write(t, filepath.Join(dir, "echo.wasm"), wasitest.Echo())
	cfg.Aliases = map[string]string{"ghcr.io/org/echo:1": "wasm:echo.wasm"}
	b := &bed{t, dir, start(t, cfg)}
	b.deploy(faas.Function{Name: named("echo"), Image: "ghcr.io/org/echo:1"})
	if _, body, err := b.postTo("echo", "hello"); body != "hello" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// goRead answers with the file that its input names.
const goRead = `package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	path, _ := io.ReadAll(os.Stdin)
	text, err := os.ReadFile(string(path))
	if err != nil {
		fmt.Print("refused")
	}
	os.Stdout.Write(text)
}
`

// TestModuleFiles: secrets that it names and folders that it is granted are all
// that a function sees.
func TestModuleFiles(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.WasmDirs = []string{filepath.Join(dir, "shared")}
	b := &bed{t, dir, start(t, cfg)}
	write(t, filepath.Join(dir, "outside"), []byte("outside"))
	if err := os.MkdirAll(cfg.WasmDirs[0], 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cfg.WasmDirs[0], "file"), []byte("granted"))
	if err := os.Rename(wasitest.Build(t, goRead), filepath.Join(dir, "read.wasm")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "others"} {
		if err := b.rt.CreateSecret(t.Context(), faas.Secret{Name: name, Namespace: faas.DefaultNamespace, Value: []byte("value of " + name)}); err != nil {
			t.Fatal(err)
		}
	}
	f := faas.Function{
		Name: named("read"), Image: "wasm:read.wasm", Secrets: []string{"key"},
		Annotations: map[string]string{"p2pfaas.wasi.dirs": cfg.WasmDirs[0] + ":/data:ro"},
	}
	read := func(path, want string) {
		t.Helper()
		if _, got, err := b.postTo("read", path); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
	b.deploy(f)
	read("/var/openfaas/secrets/key", "value of key")
	read("/var/openfaas/secrets/others", "refused")
	read("/data/file", "granted")
	read(filepath.Join(dir, "outside"), "refused")
	if err := b.rt.UpdateSecret(t.Context(), faas.Secret{Name: "key", Namespace: faas.DefaultNamespace, Value: []byte("changed")}); err != nil {
		t.Fatal(err)
	}
	read("/var/openfaas/secrets/key", "changed")
	if note := b.status("read").Note; note != "" {
		t.Errorf("note %q", note)
	}
	f.Secrets, f.Annotations = nil, nil
	b.deploy(f)
	read("/var/openfaas/secrets/key", "refused")
	read("/data/file", "refused")
}

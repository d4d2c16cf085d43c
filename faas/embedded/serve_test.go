package embedded_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

func pidIn(t *testing.T, hello string) string {
	t.Helper()
	_, rest, ok := strings.Cut(hello, "(pid ")
	pid, _, ok2 := strings.Cut(rest, ")")
	if !ok || !ok2 {
		t.Fatalf("no process id in %q", hello)
	}
	return pid
}

func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil || n < 2 {
		t.Fatalf("process id %q", pid)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// TestCrash: a process that dies is started again, and what it did is not.
func TestCrash(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("hello"), Image: "builtin:hello"})
	first := b.mustGet("hello")
	if !strings.HasPrefix(first, "hello from hello on ") {
		t.Errorf("answer %q", first)
	}
	if st := b.status("hello"); st.ColdStart <= 0 {
		t.Errorf("cold start %v", st.ColdStart)
	}
	kill(t, pidIn(t, first))
	until(t, "another process answers", func() bool {
		_, body, err := b.get("hello")
		return err == nil && pidIn(t, body) != pidIn(t, first)
	})
}

// TestCrashLoop: pauses grow, a call fails fast and safely, and says why.
func TestCrashLoop(t *testing.T) {
	b := newBed(t)
	starts := filepath.Join(b.dir, "starts")
	if err := errors.Join(os.WriteFile(starts, nil, 0o666), os.Chmod(starts, 0o666)); err != nil {
		t.Fatal(err)
	}
	b.deploy(faas.Function{Name: named("broken"), Image: "serve:" + b.script("broken", "date +%s%N >> "+starts+"; echo no such model >&2; exit 5")})
	_, _, err := b.get("broken")
	if !errors.Is(err, faas.ErrNotStarted) || !strings.Contains(err.Error(), "exit status 5") || !strings.Contains(err.Error(), "no such model") {
		t.Errorf("error %v", err)
	}
	if st := b.status("broken"); st.AvailableReplicas != 0 || !strings.Contains(st.Note, "exit status 5") {
		t.Errorf("status %+v", st)
	}
	at := lines(starts)
	if len(at) < 4 {
		t.Fatalf("%d starts", len(at))
	}
	if first, last := gap(t, at[0], at[1]), gap(t, at[len(at)-2], at[len(at)-1]); last < 2*first && last < 500*time.Millisecond {
		t.Errorf("pauses from %v to %v do not grow", first, last)
	}
}

func gap(t *testing.T, from, to string) time.Duration {
	a, err := strconv.ParseInt(from, 10, 64)
	b, err2 := strconv.ParseInt(to, 10, 64)
	if errors.Join(err, err2) != nil {
		t.Fatal(err, err2)
	}
	return time.Duration(b - a)
}

// TestColdStart: an invocation of a stopped function waits for it.
func TestColdStart(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("hello"), Image: "builtin:hello"})
	first := pidIn(t, b.mustGet("hello"))
	if err := b.rt.Scale(t.Context(), named("hello"), 0); err != nil {
		t.Fatal(err)
	}
	until(t, "the process is gone", func() bool { return !alive(first) })
	if second := pidIn(t, b.mustGet("hello")); second == first {
		t.Error("the stopped process answered")
	}
	if err := b.rt.Scale(t.Context(), named("hello"), 3); err != nil {
		t.Fatal(err)
	}
	until(t, "3 replicas", func() bool { return b.status("hello").AvailableReplicas == 3 })
}

// TestReplicasShareTheWork: calls at once go to different processes.
func TestReplicasShareTheWork(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("open"), Image: "builtin:stream", Labels: map[string]string{"com.openfaas.scale.min": "2"}})
	until(t, "2 replicas", func() bool { return b.status("open").AvailableReplicas == 2 })
	for range 4 {
		resp, err := b.rt.Invoke(t.Context(), &faas.Request{Name: named("open"), Method: "GET", Query: "every=1h"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
	}
	_, counters, err := b.call(&faas.Request{Name: named("open"), Method: "GET", Path: "/_/counters"})
	if err != nil || !strings.Contains(counters, `"in_flight":2`) {
		t.Errorf("one of 2 replicas has %s of 4 calls, error %v", counters, err)
	}
}

// TestRestart: deployments outlive the Runtime, with what was counted.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	b := &bed{t, dir, start(t, testConfig(dir))}
	f := faas.Function{Name: named("hello"), Image: "builtin:hello", EnvVars: map[string]string{"a": "b"}, Limits: &faas.Resources{NvidiaGPU: "1"}}
	b.deploy(f)
	b.deploy(faas.Function{Name: named("asleep"), Image: "builtin:hello"})
	b.deploy(faas.Function{Name: named("removed"), Image: "builtin:hello"})
	first := pidIn(t, b.mustGet("hello"))
	before := b.status("hello")
	if err := errors.Join(b.rt.Scale(t.Context(), named("asleep"), 0), b.rt.Remove(t.Context(), named("removed")), b.rt.Close()); err != nil {
		t.Fatal(err)
	}
	if alive(first) {
		t.Error("a process outlived its Runtime")
	}
	if err := os.WriteFile(filepath.Join(dir, "functions", "odd.json"), []byte(`{"Version":99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	b.rt = start(t, testConfig(dir))
	after := b.status("hello")
	if diff := cmp.Diff(f, after.Function); diff != "" {
		t.Error(diff)
	}
	if !after.CreatedAt.Equal(before.CreatedAt) || after.Invocations != 1 || !strings.Contains(after.Note, "NVIDIA GPU limit 1") {
		t.Errorf("restored as %+v, was %+v", after, before)
	}
	if st := b.status("asleep"); st.Replicas != 0 {
		t.Errorf("a function scaled to zero came back with %d replicas", st.Replicas)
	}
	if list, err := b.rt.List(t.Context(), ""); len(list) != 2 || err != nil {
		t.Errorf("restored %v, %v", list, err)
	}
	b.mustGet("hello")
}

// TestGrace: SIGTERM first, SIGKILL for who ignores it.
func TestGrace(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.Grace = 300 * time.Millisecond
	cfg.ReadyTimeout = time.Minute
	b := &bed{t, dir, start(t, cfg)}
	pids := filepath.Join(dir, "pids")
	if err := errors.Join(os.WriteFile(pids, nil, 0o666), os.Chmod(pids, 0o666)); err != nil {
		t.Fatal(err)
	}
	b.deploy(faas.Function{Name: named("stubborn"), Image: "serve:" + b.script("stubborn", "trap '' TERM; echo $$ >> "+pids+"; while :; do sleep 1; done")})
	until(t, "it runs", func() bool { return len(lines(pids)) == 1 })
	if err := b.rt.Remove(t.Context(), named("stubborn")); err != nil {
		t.Fatal(err)
	}
	if alive(lines(pids)[0]) {
		t.Error("it outlived its removal")
	}
}

// TestRunningFunction is one that somebody else runs.
func TestRunningFunction(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("outside " + r.URL.Path)) })}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	defer func() { _ = srv.Close(); <-served }()
	b := newBed(t)
	b.deploy(faas.Function{Name: named("outside"), Image: "http://" + l.Addr().String()})
	_, body, err := b.call(&faas.Request{Name: named("outside"), Method: "GET", Path: "/p"})
	if body != "outside /p" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	_ = srv.Close()
	if _, _, err = b.get("outside"); !errors.Is(err, faas.ErrNotStarted) {
		t.Errorf("error %v", err)
	}
}

// TestReadyPath: a function that names a path is called once it answers there.
func TestReadyPath(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.ReadyTimeout = 500 * time.Millisecond
	cfg.MinBackoff, cfg.MaxBackoff = 2*time.Second, 4*time.Second
	b := &bed{t, dir, start(t, cfg)}
	for path, ready := range map[string]bool{"/ready?status=204": true, "/ready?status=503": false} {
		name := fmt.Sprintf("ready-%v", ready)
		b.deploy(faas.Function{Name: named(name), Image: "builtin:echo", Annotations: map[string]string{"com.openfaas.ready.http.path": path}})
		_, _, err := b.get(name)
		if ready && err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if !ready && (!errors.Is(err, faas.ErrNotStarted) || !strings.Contains(err.Error(), "not ready")) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// TestRunAs: a node that is root runs functions as somebody else.
func TestRunAs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run functions as another user")
	}
	b := newBed(t)
	b.deploy(faas.Function{Name: named("who"), Image: "exec:/usr/bin/id -u"})
	if got := b.mustGet("who"); got != "65534\n" || b.status("who").Note != "" {
		t.Errorf("runs as %q, note %q", got, b.status("who").Note)
	}
	b.deploy(faas.Function{Name: named("privileges"), Image: "exec:/usr/bin/grep NoNewPrivs /proc/self/status"})
	if got := b.mustGet("privileges"); got != "NoNewPrivs:\t1\n" {
		t.Errorf("%q", got)
	}
	locked := filepath.Join(b.dir, "locked")
	if err := os.Mkdir(locked, 0o700); err != nil {
		t.Fatal(err)
	}
	b.deploy(faas.Function{Name: named("hidden"), Image: "exec:" + b.script("locked/who", "id -u")})
	if got := b.mustGet("hidden"); got != "0\n" || !strings.Contains(b.status("hidden").Note, locked) {
		t.Errorf("runs as %q, note %q", got, b.status("hidden").Note)
	}
	if err := (&child.User{UID: 0}).Reachable("/bin/sh"); err != nil {
		t.Error(err)
	}
}

func TestDeployIsRefused(t *testing.T) {
	b := newBed(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(b.dir, "link")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, image, process, says string }{
		{"container", "ghcr.io/org/f:1", "", "--image-alias"},
		{"no builtin", "builtin:nothing", "", "echo"},
		{"module", "wasm:f.wasm", "", "--exec-path"},
		{"outside", "exec:" + outside, "", "--exec-path"},
		{"link to outside", "exec:" + link, "", "--exec-path"},
		{"parent", "exec:/usr/bin/../../etc/passwd", "", "--exec-path"},
		{"relative", "serve:bin/f", "", "absolute"},
		{"absent", "exec:no-such-program", "", "--exec-path"},
		{"no program", "exec:", "", "no program"},
		{"folder", "exec:/usr/bin", "", "--exec-path"},
		{"process outside", "img", outside, "--exec-path"},
		{"address", "http://", "", "http://HOST:PORT"},
		{"address with path", "http://127.0.0.1:1/x", "", "http://HOST:PORT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := b.rt.Deploy(t.Context(), faas.Function{Name: named("f"), Image: tt.image, EnvProcess: tt.process})
			if !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			if _, err := b.rt.Get(t.Context(), named("f")); !errors.Is(err, faas.ErrNotFound) {
				t.Errorf("it is deployed: %v", err)
			}
		})
	}
}

func TestAlias(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.Aliases = map[string]string{"ghcr.io/org/hello:1": "builtin:hello"}
	b := &bed{t, dir, start(t, cfg)}
	b.deploy(faas.Function{Name: named("aliased"), Image: "ghcr.io/org/hello:1"})
	if got := b.mustGet("aliased"); !strings.HasPrefix(got, "hello from aliased") {
		t.Errorf("answer %q", got)
	}
}

func TestConfig(t *testing.T) {
	for name, spoil := range map[string]func(*embedded.Config){
		"data":    func(c *embedded.Config) { c.DataDir = "relative" },
		"program": func(c *embedded.Config) { c.Exe = "" },
		"path":    func(c *embedded.Config) { c.ExecPath = []string{"bin"} },
		"grace":   func(c *embedded.Config) { c.Grace = 0 },
		"ready":   func(c *embedded.Config) { c.ReadyTimeout = -1 },
		"backoff": func(c *embedded.Config) { c.MinBackoff = time.Hour },
		"log":     func(c *embedded.Config) { c.LogLimit = 1 },
		"most":    func(c *embedded.Config) { c.MaxReplicas = 0 },
		"drain":   func(c *embedded.Config) { c.Drain = 0 },
		"scale":   func(c *embedded.Config) { c.ScaleEvery = 0 },
		"save":    func(c *embedded.Config) { c.SaveEvery = -1 },
	} {
		cfg := testConfig(t.TempDir())
		spoil(&cfg)
		if _, err := embedded.New(cfg); !errors.Is(err, faas.ErrInvalid) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

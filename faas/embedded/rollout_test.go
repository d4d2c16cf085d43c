package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// version is a function that tells its version, and takes a while to start.
func (b *bed) version(name, version string, starts time.Duration) faas.Function {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	script := b.script("serve-"+version, fmt.Sprintf("sleep %v; exec %s builtin env", starts.Seconds(), exe))
	return faas.Function{
		Name: named(name), Image: "serve:" + script, EnvVars: map[string]string{"VERSION": version},
		Annotations: map[string]string{faas.AnnotationVersion: version},
	}
}

// broken never becomes ready.
func (b *bed) broken(name, version string) faas.Function {
	b.Helper()
	return faas.Function{
		Name: named(name), Image: "serve:" + b.script("serve-"+version, "echo no such model; exit 3"),
		Annotations: map[string]string{faas.AnnotationVersion: version},
	}
}

// answers returns the version that answers.
func (b *bed) answers(name string) string {
	b.Helper()
	return versionIn(b.mustGet(name))
}

func versionIn(body string) string {
	_, after, _ := strings.Cut(body, `"VERSION=`)
	version, _, _ := strings.Cut(after, `"`)
	return version
}

// load calls a function without pause until it is stopped, and fails the test
// for every call that does.
func (b *bed) load(name string, callers int) (stop func() map[string]int) {
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[string]int)
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				resp, body, err := b.get(name)
				if err != nil || resp.Status != 200 {
					b.Errorf("%v, %v", resp, err)
					return
				}
				mu.Lock()
				seen[versionIn(body)]++
				mu.Unlock()
			}
		})
	}
	return func() map[string]int { cancel(); all.Wait(); return seen }
}

// TestRollout: a new version takes over when it is ready, and no call fails or
// waits for it.
func TestRollout(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.deploy(b.version("f", "1", 0))
	b.mustGet("f")
	if err := b.rt.Scale(t.Context(), named("f"), 2); err != nil {
		t.Fatal(err)
	}
	until(t, "2 replicas", func() bool { return b.status("f").AvailableReplicas == 2 })
	stop := b.load("f", 4)
	second := b.version("f", "2", time.Second)
	b.deploy(second)
	st := b.status("f")
	first := b.version("f", "1", 0)
	if got := b.answers("f"); got != "1" || st.AvailableReplicas != 2 || st.Image != second.Image ||
		st.Fingerprint() != first.Fingerprint() || !strings.Contains(st.Note, "earlier version serves") {
		t.Errorf("version %s answers, status %+v", got, st)
	}
	until(t, "the new version answers", func() bool { return b.answers("f") == "2" })
	if st := b.status("f"); st.AvailableReplicas != 2 || st.Fingerprint() != second.Fingerprint() || st.Serving != nil || strings.Contains(st.Note, "earlier") {
		t.Errorf("status %+v", st)
	}
	if got := stop(); got["1"] == 0 || got["2"] == 0 || len(got) != 2 {
		t.Errorf("versions answered %v", got)
	}
}

// TestRolloutFails: what does not become ready does not serve, also after a
// restart, and what serves goes on.
func TestRolloutFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.ReadyTimeout = time.Second
	changes := make(chan struct{}, 100)
	cfg.Changed = func(context.Context) error { changes <- struct{}{}; return nil }
	b := &bed{t, dir, start(t, cfg)}
	b.deploy(b.version("f", "1", 0))
	first := portOf(b, "f")
	b.deploy(b.broken("f", "2"))
	failed := func() bool { return strings.Contains(b.status("f").Note, "is not used") }
	until(t, "the new version is given up", failed)
	st := b.status("f")
	if got := b.answers("f"); got != "1" || !strings.Contains(st.Note, "exit status 3") || st.Annotations[faas.AnnotationVersion] != "2" || st.Serving == nil {
		t.Errorf("version %s answers, status %+v", got, st)
	}
	if again := portOf(b, "f"); again != first {
		t.Errorf("process on port %s answers, was %s", again, first)
	}
	if len(changes) == 0 {
		t.Error("nobody was told of a change")
	}
	before := st.Invocations
	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	b.rt = start(t, cfg)
	if got := b.answers("f"); got != "1" || b.status("f").Invocations < before {
		t.Errorf("after a restart version %s answers, status %+v", got, b.status("f"))
	}
	until(t, "it is given up again", failed)
	b.deploy(b.version("f", "3", 0))
	until(t, "the next version answers", func() bool { return b.answers("f") == "3" })
	if failed() {
		t.Errorf("note %s", b.status("f").Note)
	}
}

// portOf returns the port of the process that answers.
func portOf(b *bed, name string) string {
	_, after, _ := strings.Cut(b.mustGet(name), `"PORT=`)
	port, _, _ := strings.Cut(after, `"`)
	return port
}

// TestNewestWins: a deployment ends a rollout that is under way.
func TestNewestWins(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.deploy(b.version("f", "1", 0))
	b.mustGet("f")
	b.deploy(b.version("f", "2", time.Hour))
	b.deploy(b.version("f", "3", 0))
	until(t, "the newest answers", func() bool { return b.answers("f") == "3" })
	b.deploy(b.version("f", "4", time.Hour))
	b.deploy(faas.Function{Name: named("f"), Image: "exec:" + b.script("forked", `echo '"VERSION=5"'`)})
	if got := b.answers("f"); got != "5" {
		t.Errorf("version %s answers, but a forked one need not start", got)
	}
	b.deploy(b.version("f", "6", 200*time.Millisecond))
	if got := b.answers("f"); got != "5" {
		t.Errorf("version %s answers before it is ready", got)
	}
	until(t, "the newest answers", func() bool { return b.answers("f") == "6" })
}

// TestChangesDuringRollout: what is scaled, removed or closed is so in both
// versions.
func TestChangesDuringRollout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := &bed{t, dir, start(t, testConfig(dir))}
	b.deploy(b.version("f", "1", 0))
	b.mustGet("f")
	b.deploy(b.version("f", "2", 500*time.Millisecond))
	if err := b.rt.Scale(t.Context(), named("f"), 3); err != nil {
		t.Fatal(err)
	}
	until(t, "the new version answers", func() bool { return b.answers("f") == "2" })
	if st := b.status("f"); st.Replicas != 3 || st.AvailableReplicas != 3 {
		t.Errorf("status %+v", st)
	}
	b.deploy(b.version("f", "3", time.Hour))
	if err := b.rt.Remove(t.Context(), named("f")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.get("f"); !errors.Is(err, faas.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	b.deploy(b.version("g", "1", 0))
	b.mustGet("g")
	b.deploy(b.version("g", "2", time.Second))
	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	b.rt = start(t, testConfig(dir))
	if got := b.answers("g"); got != "1" {
		t.Errorf("version %s answers, want the one that had served", got)
	}
	until(t, "the rollout is completed", func() bool { return b.answers("g") == "2" })
}

// TestLongCallOutlivesItsVersion: also one that takes longer than the grace.
func TestLongCallOutlivesItsVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.Grace = 50 * time.Millisecond
	b := &bed{t, dir, start(t, cfg)}
	f := faas.Function{Name: named("f"), Image: "builtin:sleep"}
	b.deploy(f)
	b.mustGet("f")
	answered := make(chan error, 1)
	go func() {
		resp, _, err := b.call(&faas.Request{Name: named("f"), Method: "GET", Query: "d=2s"})
		if err == nil && resp.Status != 200 {
			err = fmt.Errorf("status %d", resp.Status)
		}
		answered <- err
	}()
	until(t, "it runs", func() bool { return b.status("f").Invocations == 2 })
	f.EnvVars = map[string]string{"duration": "1ms"}
	b.deploy(f)
	until(t, "the new version serves", func() bool { return b.status("f").Serving == nil })
	if err := b.rt.Scale(t.Context(), named("f"), 0); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestWaitForReplaced: calls that wait for a version that never becomes ready are
// answered by the one that takes its place.
func TestWaitForReplaced(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.deploy(faas.Function{Name: named("f"), Image: "serve:" + b.script("never", "exec sleep 300")})
	waiting := make(chan error, 1)
	go func() {
		_, body, err := b.get("f")
		if err == nil && versionIn(body) != "2" {
			err = fmt.Errorf("answer %q", body)
		}
		waiting <- err
	}()
	until(t, "the call waits", func() bool { return b.status("f").Invocations == 1 })
	b.deploy(b.version("f", "2", 0))
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if n := b.status("f").Invocations; n != 1 {
		t.Errorf("%d invocations are counted", n)
	}
}

package embedded_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

// serveMoody is a function that is as well as files in dir say.
func serveMoody(dir string) error {
	asks := func(file string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", asks("ill"))
	mux.HandleFunc("/ready", asks("busy"))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "(pid %d)", os.Getpid()) })
	return http.ListenAndServe(net.JoinHostPort("127.0.0.1", os.Getenv("PORT")), mux)
}

func (b *bed) moody(annotations map[string]string) {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	b.deploy(faas.Function{Name: named("moody"), Image: "serve:" + b.script("moody", "exec "+exe+" moody "+b.dir), Annotations: annotations})
}

func (b *bed) touch(name string) (path string) {
	b.Helper()
	path = filepath.Join(b.dir, name)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// TestHealth: a process that fails its health path is replaced, and it is said.
func TestHealth(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.moody(map[string]string{
		"com.openfaas.health.http.path": "/healthz", "com.openfaas.health.http.periodSeconds": "1",
		"com.openfaas.health.http.failureThreshold": "2", "com.openfaas.ready.http.path": "/ready",
	})
	first := pidIn(t, b.mustGet("moody"))
	ill := b.touch("ill")
	until(t, "it is ended", func() bool { return !alive(first) })
	if err := os.Remove(ill); err != nil {
		t.Fatal(err)
	}
	until(t, "another answers", func() bool {
		_, body, err := b.get("moody")
		return err == nil && pidIn(t, body) != first
	})
	if st := b.status("moody"); !strings.Contains(st.Note, "GET /healthz: status 503") {
		t.Errorf("note %q", st.Note)
	}
}

// TestReadiness: a process that says that it is not ready gets no calls until it
// is, and is left alone.
func TestReadiness(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.moody(map[string]string{
		"com.openfaas.ready.http.path": "/ready", "com.openfaas.ready.http.periodSeconds": "1", "com.openfaas.ready.http.failureThreshold": "1",
	})
	first := pidIn(t, b.mustGet("moody"))
	busy := b.touch("busy")
	until(t, "it is out of the rotation", func() bool { return b.status("moody").AvailableReplicas == 0 })
	if _, _, err := b.get("moody"); !errors.Is(err, faas.ErrNotStarted) || !strings.Contains(err.Error(), "not ready (GET /ready: status 503)") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(busy); err != nil {
		t.Fatal(err)
	}
	until(t, "it is back", func() bool { return b.status("moody").AvailableReplicas == 1 })
	if again := pidIn(t, b.mustGet("moody")); again != first {
		t.Errorf("process %s answers, was %s", again, first)
	}
}

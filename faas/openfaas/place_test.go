package openfaas_test

import (
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

func TestLocate(t *testing.T) {
	dir, half := t.TempDir(), t.TempDir()
	write(t, dir, "basic-auth-user", "operator\n")
	write(t, dir, "basic-auth-password", "from file\n")
	write(t, half, "basic-auth-user", "operator\n")
	tests := []struct {
		name, url, folder string
		want              api.Credentials
		at                string // "" for an error
	}{
		{"folder", "http://127.0.0.1:8080", dir, api.Credentials{User: "operator", Password: "from file"}, "http://127.0.0.1:8080"},
		{"URL goes first", "http://admin:p%40ss@pi:8080", dir, api.Credentials{User: "admin", Password: "p@ss"}, "http://pi:8080"},
		{"none", "https://gw.example/openfaas/", openfaas.NoCredentials, api.Credentials{}, "https://gw.example/openfaas"},
		{"no password", "http://127.0.0.1:8080", half, api.Credentials{}, ""},
		{"no folder", "http://127.0.0.1:8080", filepath.Join(dir, "absent"), api.Credentials{}, ""},
		{"scheme", "ftp://127.0.0.1", openfaas.NoCredentials, api.Credentials{}, ""},
		{"no scheme", "127.0.0.1:8080", openfaas.NoCredentials, api.Credentials{}, ""},
		{"no host", "http://", openfaas.NoCredentials, api.Credentials{}, ""},
		{"query", "http://pi/?a=b", openfaas.NoCredentials, api.Credentials{}, ""},
	}
	for _, tt := range tests {
		p, err := openfaas.Locate(tt.url, tt.folder)
		if tt.at == "" {
			if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, faas.ErrInvalid) {
				t.Errorf("%s: error %v", tt.name, err)
			}
			continue
		}
		if err != nil || p.Redacted() != tt.at {
			t.Errorf("%s: %v, %v", tt.name, p.Redacted(), err)
		}
		if diff := cmp.Diff(tt.want, p.Credentials); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestNoPasswordInErrors: they end in logs.
func TestNoPasswordInErrors(t *testing.T) {
	for _, u := range []string{"ftp://admin:hush@pi", "http://admin:hush@pi:x y/", "http://admin:hush@pi/?a"} {
		if _, err := openfaas.Locate(u, ""); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %v", u, err)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestProbe: what is taken for a gateway, and what is not.
func TestProbe(t *testing.T) {
	g := gateway(t, openfaastest.Options{Strangers: true})
	place := config(t, g.URL()).Place
	if err := openfaas.Probe(t.Context(), place, patience); err != nil {
		t.Errorf("gateway: %v", err)
	}
	stranger := place
	stranger.Credentials.Password = "wrong"
	if err := openfaas.Probe(t.Context(), stranger, patience); !openfaas.RefusesCredentials(err) {
		t.Errorf("wrong credentials: %v", err)
	}
	g.SetProvider(false)
	wants(t, openfaas.Probe(t.Context(), place, patience), []error{faas.ErrUnavailable})
	g.Stop()
	wants(t, openfaas.Probe(t.Context(), place, patience), []error{faas.ErrUnavailable})
}

func TestProbeOthers(t *testing.T) {
	static := func(body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
	tests := []struct {
		name    string
		handler http.Handler
		ok      bool
	}{
		{"bare provider", static(`{"provider":"faasd","version":{"sha":"x","release":"0.19"},"orchestration":"containerd"}`), true},
		{"a node of ours", api.New(new(faastest.Fake), api.Options{}), false},
		{"web server", static("<html>It works!</html>"), false},
		{"JSON", static(`{"status":"ok"}`), false},
		{"not found", http.NotFoundHandler(), false},
		{"silent", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), false},
	}
	for _, tt := range tests {
		s := httptest.NewServer(tt.handler)
		place, err := openfaas.Locate(s.URL, openfaas.NoCredentials)
		if err != nil {
			t.Fatal(err)
		}
		limit := patience
		if tt.name == "silent" {
			limit = 50 * time.Millisecond
		}
		if err := openfaas.Probe(t.Context(), place, limit); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		s.Close()
	}
}

// TestBehindOthers: a gateway may share its address with others, and be
// reached by TLS.
func TestBehindOthers(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("greet", "echo")
	s := httptest.NewTLSServer(http.StripPrefix("/openfaas", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = strings.TrimPrefix(g.URL(), "http://")
		g.ServeHTTP(w, r)
	})))
	defer s.Close()
	// No other test of this package reads the system's certificates, which is
	// done once in a process.
	dir := t.TempDir()
	write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	t.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.pem"))
	rt := start(t, config(t, s.URL+"/openfaas/"))
	for range 3 {
		if resp, body, err := invoke(t, rt, post(named("greet"), "by TLS")); err != nil || resp.Status != 200 || body != "by TLS" {
			t.Errorf("%v, %q, %v", resp, body, err)
		}
	}
	if diff := cmp.Diff([]string{"greet"}, listed(t, rt)); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}

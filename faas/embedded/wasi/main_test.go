package wasi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is one function.
type bed struct {
	*testing.T
	runner *wasi.Runner
	path   string // of the log
}

func (b *bed) log() string {
	text, _ := os.ReadFile(b.path)
	return string(text)
}

func digestOf(module []byte) string {
	sum := sha256.Sum256(module)
	return "sha256-" + hex.EncodeToString(sum[:])
}

func newRunner(t testing.TB, module []byte, cfg wasi.Config) *wasi.Runner {
	t.Helper()
	if cfg.Engine == nil {
		cfg.Engine = wasi.NewEngine(filepath.Join(t.TempDir(), "cache"))
	}
	if cfg.Log == nil {
		cfg.Log = openLog(t, filepath.Join(t.TempDir(), "log"))
	}
	cfg.Name, cfg.Digest = "f", digestOf(module)
	cfg.Read = func() ([]byte, error) { return module, nil }
	r, err := wasi.NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func newBed(t *testing.T, module []byte, cfg wasi.Config) *bed {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	cfg.Log = openLog(t, path)
	cfg.Settings.CGIHeaders = true
	return &bed{t, newRunner(t, module, cfg), path}
}

func openLog(t testing.TB, path string) *child.Log {
	t.Helper()
	l, err := child.OpenLog(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// call returns the answer with its whole body.
func (b *bed) call(r *faas.Request) (*faas.Response, string, error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	resp, err := b.runner.Invoke(ctx, r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (b *bed) post(body string) (*faas.Response, string, error) {
	b.Helper()
	return b.call(&faas.Request{Method: "POST", Body: strings.NewReader(body), Size: int64(len(body))})
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

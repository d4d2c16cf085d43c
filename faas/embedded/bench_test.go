package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
)

const goEcho = `package main

import (
	"io"
	"os"
)

func main() { _, _ = io.Copy(os.Stdout, os.Stdin) }
`

// way is one way to have 1 KB echoed.
type way struct {
	name string
	echo func(context.Context, []byte) error
}

// turn is how many calls are made in one way before the next: one way's garbage
// shall not be another's cost.
const turn = 20

// BenchmarkCost echoes 1 KB in each way in turn, so that all of them meet the same
// noise, and tells the medians and what they are to that of a call over HTTP
// without a runtime.
func BenchmarkCost(b *testing.B) {
	ways := newWays(b)
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			took := make([][]time.Duration, len(ways))
			for b.Loop() {
				for i, w := range ways {
					runtime.GC()
					took[i] = append(took[i], at(b, callers, w)...)
				}
			}
			b.ReportMetric(0, "ns/op")
			direct := median(took[0])
			for i, w := range ways {
				b.ReportMetric(float64(median(took[i]).Nanoseconds())/1e3, w.name+"-µs")
				b.ReportMetric(float64(median(took[i]))/float64(direct), w.name+"-x")
			}
		})
	}
}

// at has so many callers echo at once, each a turn, and returns how long each call
// took.
func at(b *testing.B, callers int, w way) []time.Duration {
	took := make([]time.Duration, callers*turn)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range turn {
				begun := time.Now()
				if err := w.echo(b.Context(), make([]byte, 1024)); err != nil {
					b.Error(w.name, err)
				}
				took[c*turn+i] = time.Since(begun)
			}
		})
	}
	all.Wait()
	return took
}

func median(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

func newWays(b *testing.B) []way {
	dir := b.TempDir()
	rt := start(b, testConfig(dir))
	ways := []way{{"direct", directly(b)}}
	write(b, filepath.Join(dir, "small.wasm"), wasitest.Echo())
	for _, d := range []struct{ name, image string }{
		{"process", "builtin:echo"}, {"small-module", "wasm:" + filepath.Join(dir, "small.wasm")},
		{"go-module", "wasm:" + goModule(b, dir)}, {"fork", "exec:cat"},
	} {
		f := faas.Function{Name: named(d.name), Image: d.image, EnvVars: map[string]string{"combine_output": "false"}}
		if err := rt.Deploy(b.Context(), f); err != nil {
			b.Fatal(err)
		}
		ways = append(ways, way{d.name, through(rt, f.Name)})
	}
	for _, w := range ways {
		if err := w.echo(b.Context(), make([]byte, 1024)); err != nil { // starts and connects
			b.Fatal(w.name, err)
		}
	}
	return ways
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// goModule is the path of a module made of Go.
func goModule(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "go.wasm")
	if err := os.Rename(wasitest.Build(t, goEcho), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func through(rt *embedded.Runtime, name faas.Name) func(context.Context, []byte) error {
	return func(ctx context.Context, body []byte) error {
		resp, err := rt.Invoke(ctx, &faas.Request{Name: name, Method: "POST", Body: bytes.NewReader(body), Size: int64(len(body))})
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		return same(resp.Body, body)
	}
}

func same(r io.Reader, body []byte) error {
	got, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(got, body) {
		err = fmt.Errorf("%d bytes came back as %d others", len(body), len(got))
	}
	return err
}

// directly calls a process of its own over HTTP, without a runtime.
func directly(b *testing.B) func(context.Context, []byte) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(os.Args[0], "builtin", "echo")
	cmd.Env = append(os.Environ(), "PORT="+port)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	until(b, "the process listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	return func(ctx context.Context, body []byte) error {
		req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr, bytes.NewReader(body))
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		return same(resp.Body, body)
	}
}

// BenchmarkColdStart is the first call after a restart of the Runtime, that
// included, with and without machine code on disk.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	write(b, filepath.Join(dir, "small.wasm"), wasitest.Echo())
	for _, f := range []faas.Function{
		{Name: named("small"), Image: "wasm:" + filepath.Join(dir, "small.wasm")},
		{Name: named("go"), Image: "wasm:" + goModule(b, dir)},
		{Name: named("process"), Image: "builtin:echo"},
	} {
		for _, cached := range []bool{true, false} {
			if f.Name.Function == "process" && !cached {
				continue
			}
			b.Run(fmt.Sprintf("%s/cached=%t", f.Name.Function, cached), func(b *testing.B) { coldStart(b, f, cached) })
		}
	}
}

func coldStart(b *testing.B, f faas.Function, cached bool) {
	cfg := testConfig(b.TempDir())
	if path, module := strings.CutPrefix(f.Image, "wasm:"); module {
		cfg.ExecPath = append(cfg.ExecPath, filepath.Dir(path))
	}
	var rt *embedded.Runtime
	open := func() {
		var err error
		if rt, err = embedded.New(cfg); err == nil {
			err = rt.Start(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	open()
	if err := rt.Deploy(b.Context(), f); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		_ = rt.Close()
		if !cached {
			_ = os.RemoveAll(filepath.Join(cfg.DataDir, "cache"))
		}
		b.StartTimer()
		begun := time.Now()
		open()
		if err := through(rt, f.Name)(b.Context(), make([]byte, 1024)); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	_ = rt.Close()
	b.ReportMetric(float64(median(took).Nanoseconds())/1e6, "median-ms")
}

// BenchmarkInvoke echoes 1 KB through a real process.
func BenchmarkInvoke(b *testing.B) {
	rt := start(b, testConfig(b.TempDir()))
	name := named("echo")
	if err := rt.Deploy(b.Context(), faas.Function{Name: name, Image: "builtin:echo"}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	body := bytes.NewReader(make([]byte, 1024))
	r := &faas.Request{Name: name, Method: "POST", Body: body, Size: 1024}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = body.Seek(0, io.SeekStart)
		resp, err := rt.Invoke(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != 1024 || err != nil {
			b.Fatal(n, err)
		}
		_ = resp.Body.Close()
	}
}

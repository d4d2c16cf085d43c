package wasi_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// BenchmarkInvoke echoes 1 KB through a small module.
func BenchmarkInvoke(b *testing.B) {
	r := newRunner(b, wasitest.Echo(), wasi.Config{Settings: watchdog.Settings{CGIHeaders: true, CombineOutput: true}})
	body := bytes.NewReader(make([]byte, 1024))
	req := &faas.Request{Method: "POST", Body: body, Size: 1024, Header: faas.Header{{Name: "Content-Type", Value: "text/plain"}, {Name: "Accept", Value: "*/*"}}}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = body.Seek(0, io.SeekStart)
		resp, err := r.Invoke(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != 1024 || err != nil {
			b.Fatal(n, err)
		}
		_ = resp.Body.Close()
	}
}

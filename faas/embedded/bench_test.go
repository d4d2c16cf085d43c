package embedded_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

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

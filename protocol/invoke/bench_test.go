package invoke_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// BenchmarkInvoke is one call after the other between two hosts over loopback
// TCP and TLS. Allocations are those of client and server together.
func BenchmarkInvoke(b *testing.B) {
	for _, size := range []int{0, 1 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := newPair(b, pairOptions{}, benchEcho)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			body := pattern(size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			buf := make([]byte, 64<<10)
			for b.Loop() {
				call(b, ctx, p, body, buf)
			}
		})
	}
}

// BenchmarkInvokeParallel has 64 calls in flight.
func BenchmarkInvokeParallel(b *testing.B) {
	p := newPair(b, pairOptions{client: invoke.Config{Streams: 64}}, benchEcho)
	body := pattern(1 << 10)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		buf := make([]byte, 4<<10)
		for pb.Next() {
			call(b, ctx, p, body, buf)
		}
	})
}

func call(b *testing.B, ctx context.Context, p *pair, body, buf []byte) {
	r := &invoke.Request{
		CallID: "0123456789abcdef", Function: "echo", Method: "POST", Path: "/", Host: "localhost:8080",
		Header: invoke.Header{{Name: "Content-Type", Value: "application/octet-stream"}, {Name: "User-Agent", Value: "bench"}},
		Size:   int64(len(body)), Body: &bytesReader{b: body},
	}
	a, err := p.client.Invoke(ctx, p.peer(), r)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for {
		m, err := a.Body.Read(buf)
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if n != len(body) {
		b.Fatalf("%d bytes of %d", n, len(body))
	}
}

func benchEcho(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
	c.Start()
	return &invoke.Answer{Status: 200, Header: c.Header[:1:1], Size: c.Size, Body: io.NopCloser(c.Body)}, nil
}

type bytesReader struct{ b []byte }

func (r *bytesReader) Read(p []byte) (int, error) {
	n := copy(p, r.b)
	r.b = r.b[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

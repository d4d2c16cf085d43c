package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// BenchmarkInvoke is one invocation after the other through a [client.Client], to
// a host as nodes have it. Allocations are those of both sides.
func BenchmarkInvoke(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c, body := benchClient(b), make([]byte, size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			buf := make([]byte, 64<<10)
			for b.Loop() {
				benchCall(b, c, body, buf)
			}
		})
	}
}

// BenchmarkInvokeParallel has 64 invocations in flight.
func BenchmarkInvokeParallel(b *testing.B) {
	c, body := benchClient(b), make([]byte, 1<<10)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 4<<10)
		for pb.Next() {
			benchCall(b, c, body, buf)
		}
	})
}

func benchClient(b *testing.B) *client.Client {
	n, err := startNode(functions{"echo": benchEcho})
	if err != nil {
		b.Fatal(err)
	}
	c, err := client.Dial(b.Context(), n.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
		if err := n.end(); err != nil {
			b.Error(err)
		}
	})
	return c
}

func benchEcho(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
	c.Start()
	return &invoke.Answer{Status: http.StatusOK, Header: c.Header[:1:1], Size: c.Size, Body: io.NopCloser(c.Body)}, nil
}

func benchCall(b *testing.B, c *client.Client, body, buf []byte) {
	a, err := c.Invoke(b.Context(), &client.Request{
		Function: "echo",
		Header:   http.Header{"Content-Type": {"application/octet-stream"}},
		Body:     bytes.NewReader(body),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Body.Close()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, a.Body, buf)
	if err != nil || n != int64(len(body)) {
		b.Fatalf("%d bytes of %d: %v", n, len(body), err)
	}
}

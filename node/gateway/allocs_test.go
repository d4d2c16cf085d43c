package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// sink is the side of a server, without memory of its own but the header's.
type sink struct {
	header http.Header
	status int
	wrote  int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { s.wrote += len(p); return len(p), nil }

// echo answers as node B would, by way of A, in memory of its own.
type echo struct {
	body   []byte
	in     bytes.Reader
	answer invoke.Answer
}

func (e *echo) Invoke(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
	if _, err := io.ReadFull(r.Body, e.body); err != nil {
		return nil, err
	}
	e.in.Reset(e.body)
	e.answer.Body = io.NopCloser(&e.in)
	return &e.answer, nil
}

func newEcho(size int) *echo {
	a, b := peer.ID("12345678901234567890123456789012345678"), peer.ID("b2345678901234567890123456789012345678")
	return &echo{body: make([]byte, size), answer: invoke.Answer{
		Status: http.StatusOK, Size: int64(size),
		Header: invoke.Header{{Name: "Content-Type", Value: "text/plain"}, {Name: "Date", Value: "Mon, 23 Nov 2026 10:00:00 GMT"}},
		Hops: []invoke.Hop{
			{Peer: a, Total: 456 * time.Microsecond, Decide: 3 * time.Microsecond, Policy: "spread", Reason: uint8(sched.ReasonThereSooner), Attempts: 1},
			{Peer: b, Total: 345 * time.Microsecond, Service: 234 * time.Microsecond, Policy: "spread", Reason: uint8(sched.ReasonFreeServer), Attempts: 1},
		},
	}}
}

// visitOf makes a small visit, the server's part left out.
func visitOf(g http.Handler, size int) func() (status, wrote int) {
	body, in := make([]byte, size), new(bytes.Reader)
	r := &http.Request{
		Method: "POST", URL: &url.URL{Path: "/function/echo"}, ProtoMajor: 1, ProtoMinor: 1, Host: "localhost:8080", RemoteAddr: "127.0.0.1:54321",
		Header:        http.Header{"Content-Type": {"text/plain"}, "User-Agent": {"test"}, "Accept-Encoding": {"gzip"}},
		ContentLength: int64(size), Body: io.NopCloser(in),
	}
	return func() (int, int) {
		in.Reset(body)
		w := sink{header: make(http.Header)}
		g.ServeHTTP(&w, r)
		return w.status, w.wrote
	}
}

// The gateway's own memory for one small request, the answer's header included: 5
// are the map's that http.Header is.
func TestAllocationsOfAVisit(t *testing.T) {
	const most, size = 14, 1 << 10
	visit := visitOf(New(newEcho(size), "self", "test/1"), size)
	if status, wrote := visit(); status != http.StatusOK || wrote != size {
		t.Fatalf("status %d and %d bytes", status, wrote)
	}
	got := testing.AllocsPerRun(500, func() { visit() })
	if got > most {
		t.Errorf("%.0f allocations, want at most %d", got, most)
	}
	t.Logf("%.0f allocations", got)
}

func BenchmarkVisit(b *testing.B) {
	visit := visitOf(New(newEcho(1<<10), "self", "test/1"), 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		visit()
	}
}

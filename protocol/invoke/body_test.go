package invoke_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestSmallCall(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		seen := make(chan invoke.Request, 1)
		p := newPair(t, pairOptions{transport: transport}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			seen <- c.Request
			b, err := io.ReadAll(c.Body)
			if err != nil {
				return nil, err
			}
			a := text(201, string(b)+"!")
			a.Header = invoke.Header{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "\xff2"}, {Name: "Connection", Value: "x"}}
			return a, nil
		})
		r := post("hello")
		r.Path, r.Query = "/a%20b", "q=1&q=2"
		r.Header = invoke.Header{{Name: "Accept", Value: "a"}, {Name: "Accept", Value: "b"}, {Name: "Keep-Alive", Value: "5"}, {Name: "Connection", Value: "X-Drop"}, {Name: "x-drop", Value: "1"}}
		a := mustInvoke(t, p, r)
		got := <-seen
		if body := readAll(t, a); a.Status != 201 || body != "hello!" {
			t.Fatalf("answer %d %q", a.Status, body)
		}
		if diff := cmp.Diff(invoke.Header{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "\xff2"}}, a.Header); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(invoke.Header{{Name: "Accept", Value: "a"}, {Name: "Accept", Value: "b"}}, got.Header); diff != "" {
			t.Fatal(diff)
		}
		if got.Path != r.Path || got.Query != r.Query || got.Host != r.Host || got.CallID != r.CallID {
			t.Fatalf("request became %+v", got)
		}
	})
}

// reader hides what else a reader can do.
type reader struct{ io.Reader }

func TestBodiesOfAllSizes(t *testing.T) {
	sizes := []int{0, 1, 1000, 4096, 65507, 65536, 65537, invoke.FirstWindow, invoke.FirstWindow + 1, 5 << 20}
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, echo)
		for _, size := range sizes {
			for _, known := range []bool{true, false} {
				t.Run(fmt.Sprintf("%d known=%v", size, known), func(t *testing.T) { roundTrip(t, p, size, known) })
			}
		}
		if n := streams(p.a); n != 1 {
			t.Errorf("%d streams after calls one after the other, want 1", n)
		}
	})
}

func roundTrip(t *testing.T, p *pair, size int, known bool) {
	t.Helper()
	want := sha256.New()
	r := post("")
	r.Size = int64(size)
	r.Body = io.TeeReader(io.LimitReader(&counter{}, int64(size)), want)
	if !known {
		r.Size = -1
		r.Trailer = func() invoke.Header { return invoke.Header{{Name: "X-End", Value: "yes"}} }
	}
	a := mustInvoke(t, p, r)
	got := sha256.New()
	n, err := io.Copy(got, reader{a.Body})
	if err != nil || n != int64(size) {
		t.Fatalf("%d bytes came back of %d: %v", n, size, err)
	}
	if err := a.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if string(got.Sum(nil)) != string(want.Sum(nil)) {
		t.Fatal("body came back changed")
	}
	if !known && cmp.Diff(invoke.Header{{Name: "X-End", Value: "yes"}}, a.Trailer()) != "" {
		t.Fatalf("trailer %v", a.Trailer())
	}
	if known && a.Size != int64(size) {
		t.Fatalf("size %d, want %d", a.Size, size)
	}
}

// counter gives bytes that differ from place to place.
type counter struct{ n uint32 }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n = c.n*1664525 + 1013904223
		p[i] = byte(c.n >> 24)
	}
	return len(p), nil
}

func TestLargeBodiesDoNotFillMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("64 MiB twice")
	}
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, echo)
		before := heap()
		peak := uint64(0)
		for _, known := range []bool{true, false} {
			r := post("")
			want, got := sha256.New(), sha256.New()
			const size = 64 << 20
			r.Size, r.Body = size, io.TeeReader(io.LimitReader(&counter{}, size), want)
			if !known {
				r.Size = -1
			}
			a := mustInvoke(t, p, r)
			for i := 0; ; i++ {
				n, err := io.CopyN(got, a.Body, 8<<20)
				peak = max(peak, heap())
				if err == io.EOF || n == 0 {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if string(got.Sum(nil)) != string(want.Sum(nil)) {
				t.Fatal("body came back changed")
			}
			_ = a.Body.Close()
		}
		t.Logf("live heap grew by %d KB at most", (int64(peak)-int64(before))>>10)
		if peak > before+48<<20 {
			t.Errorf("live heap went from %d to %d MB", before>>20, peak>>20)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

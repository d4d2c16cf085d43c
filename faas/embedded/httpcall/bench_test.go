package httpcall_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

// BenchmarkCall is a request and an answer of 1 KB over a kept connection. The
// function allocates nothing.
func BenchmarkCall(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call := kilobyte(ctx, b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

// A call takes the answer and its header's text, whatever the sizes.
func TestCallAllocatesLittle(t *testing.T) {
	const most = 2
	for name, ctx := range map[string]context.Context{"never ends": context.Background(), "watched": newWatched(t)} {
		call := kilobyte(ctx, t)
		call()
		if n := testing.AllocsPerRun(200, call); n > most {
			t.Errorf("%s: %v allocations a call, want %d", name, n, most)
		}
	}
}

// kilobyte makes a call of 1 KB both ways.
func kilobyte(ctx context.Context, t testing.TB) (call func()) {
	c := kilobyteServer(t).client(t)
	body := bytes.NewReader(make([]byte, 1024))
	r := request("POST")
	r.Header = faas.Header{{Name: "Content-Type", Value: "text/plain"}, {Name: "X-Call-Id", Value: "0123456789"}}
	in := make([]byte, 2048)
	return func() {
		_, _ = body.Seek(0, io.SeekStart)
		r.Body, r.Size = body, 1024
		resp, err := c.Do(ctx, r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.ReadFull(resp.Body, in[:1024]); n != 1024 || err != nil {
			t.Fatal(n, err)
		}
		_ = resp.Body.Close()
	}
}

// kilobyteServer reads and answers 1 KB at a time.
func kilobyteServer(t testing.TB) *raw {
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Length: 1024\r\n\r\n"), make([]byte, 1024)...)
	return listen(t, func(_ int, p *peer) {
		in := make([]byte, 8192)
		for have := 0; ; have = 0 {
			for want := -1; want < 0 || have < want; {
				n, err := p.Read(in[have:])
				if err != nil {
					return
				}
				have += n
				if i := bytes.Index(in[:have], []byte("\r\n\r\n")); i >= 0 {
					want = i + 4 + 1024
				}
			}
			_, _ = p.Write(answer)
		}
	})
}

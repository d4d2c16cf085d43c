package httpcall

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// said is a connection on which the function has said all it ever will.
type said struct {
	net.Conn
	r io.Reader
}

func (s *said) Read(p []byte) (int, error)  { return s.r.Read(p) }
func (s *said) Write(p []byte) (int, error) { return len(p), nil }
func (s *said) Close() error                { return nil }

// byByte hands out a byte at a time, to find parsers that need whole lines.
type byByte struct{ r io.Reader }

func (b byByte) Read(p []byte) (int, error) {
	if len(p) > 1 {
		p = p[:1]
	}
	return b.r.Read(p)
}

func parseAll(method string, r io.Reader) (*answer, []byte, error) {
	c := New("", Default())
	a := &answer{client: c, ctx: context.Background(), conn: newConn(&said{r: r})}
	if err := a.receive(&faas.Request{Method: method}); err != nil {
		return nil, nil, err
	}
	var body []byte
	buf := make([]byte, 7)
	for {
		before := a.Buffered()
		n, err := a.Read(buf)
		if n < min(before, len(buf)) {
			panic("Buffered promised more than Read gave")
		}
		body = append(body, buf[:n]...)
		if err != nil {
			return a, body, err
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
		"HTTP/1.0 200\n\nabc",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nConnection: X-A\r\nX-A: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	} {
		f.Add("GET", []byte(s))
	}
	f.Fuzz(func(t *testing.T, method string, text []byte) {
		a, body, err := parseAll(method, bytes.NewReader(text))
		b, body2, err2 := parseAll(method, byByte{bytes.NewReader(text)})
		if (err == io.EOF) != (err2 == io.EOF) || (a == nil) != (b == nil) || !bytes.Equal(body, body2) {
			t.Fatalf("depends on how the bytes arrive: %q, %v against %q, %v", body, err, body2, err2)
		}
		if a == nil {
			return
		}
		if err == io.EOF && a.body == framedLength && int64(len(body)) != a.Size {
			t.Fatalf("clean end after %d of %d bytes", len(body), a.Size)
		}
		for _, field := range append(a.Header, a.trailer...) {
			if hopByHop(field.Name) || bytes.ContainsAny([]byte(field.Value), "\r\n\x00") {
				t.Fatalf("field %q", field)
			}
		}
	})
}

// TestIdleSweep: connections that nobody uses are closed after a while.
func TestIdleSweep(t *testing.T) {
	cfg := Default()
	cfg.IdleTimeout = 20 * time.Millisecond
	c := New("", cfg)
	defer func() { _ = c.Close() }()
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	c.put(newConn(near))
	_ = far.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("idle connection was not closed: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) != 0 || c.sweep != nil {
		t.Errorf("%d idle connections left, timer %v", len(c.idle), c.sweep)
	}
}

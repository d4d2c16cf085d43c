package httpcall_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, method, answer string
		status               int
		size                 int64
		body                 string
		header               faas.Header
		trailer              faas.Header
		err                  error // of the body
	}{
		{name: "length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: 1\r\nx-a:  2 \r\n\r\nabc", status: 200, size: 3, body: "abc",
			header: faas.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}}},
		{name: "no reason, bare line feeds", answer: "HTTP/1.1 404\nContent-Length: 0\n\n", status: 404},
		{name: "chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA \r\n0123456789\r\n0\r\nX-T: v\r\nX-T: w\r\n\r\n",
			status: 200, size: -1, body: "abc0123456789", trailer: faas.Header{{Name: "X-T", Value: "v"}, {Name: "X-T", Value: "w"}}},
		{name: "until close", answer: "HTTP/1.0 200 OK\r\n\r\nall of it", status: 200, size: -1, body: "all of it"},
		{name: "interim", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz", status: 200, size: 1, body: "z"},
		{name: "head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", status: 200, size: 1000},
		{name: "not modified", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", status: 304, size: 77},
		{name: "no content", answer: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, size: -1},
		{name: "hop by hop", answer: "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: t\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n", status: 200,
			header: faas.Header{{Name: "X-End", Value: "1"}}},
		{name: "cut length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", status: 200, size: 10, body: "abc", err: io.ErrUnexpectedEOF},
		{name: "cut chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", status: 200, size: -1, body: "abc", err: io.ErrUnexpectedEOF},
		{name: "no last chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", status: 200, size: -1, body: "abc", err: io.ErrUnexpectedEOF},
		{name: "cut trailer", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: v\r\n", status: 200, size: -1, body: "abc", err: io.ErrUnexpectedEOF},
		{name: "bad chunk end", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", status: 200, size: -1, body: "abc", err: io.ErrUnexpectedEOF},
		{name: "negative chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", status: 200, size: -1, err: io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := listen(t, func(_ int, p *peer) { p.head(); p.say(tt.answer) })
			method := tt.method
			if method == "" {
				method = "GET"
			}
			resp, err := s.client(t).Do(t.Context(), request(method), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			if !errors.Is(err, tt.err) || string(body) != tt.body || resp.Status != tt.status || resp.Size != tt.size {
				t.Errorf("status %d, size %d, body %q, error %v", resp.Status, resp.Size, body, err)
			}
			if diff := cmp.Diff(tt.header, resp.Header); tt.header != nil && diff != "" {
				t.Error(diff)
			}
			if tt.trailer != nil {
				if diff := cmp.Diff(tt.trailer, resp.Trailer()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestRefusedAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":            "",
		"not HTTP":           "hello, is this a function?\r\n\r\n",
		"cut header":         "HTTP/1.1 200 OK\r\nX-A: ",
		"too large":          "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 70<<10) + "\r\n\r\n",
		"endless":            "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 200<<10),
		"too many fields":    "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: 1\r\n", 1000) + "\r\n",
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"negative length":    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"signed length":      "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
		"huge length":        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\na",
		"other encoding":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"folded field":       "HTTP/1.1 200 OK\r\nX-A: 1\r\n  2\r\n\r\n",
		"space before colon": "HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n",
		"carriage return":    "HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\n\r\n",
		"unasked upgrade":    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"interim for ever":   strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			s := listen(t, func(_ int, p *peer) { p.head(); p.say(answer) })
			released := 0
			_, err := s.client(t).Do(t.Context(), request("GET"), func() { released++ })
			if err == nil || errors.Is(err, faas.ErrNotStarted) {
				t.Errorf("error %v, want one of a function that may have run", err)
			}
			if released != 1 {
				t.Errorf("released %d times", released)
			}
		})
	}
}

func TestRequestOnTheWire(t *testing.T) {
	got := make(chan string, 1)
	s := listen(t, func(_ int, p *peer) {
		text := p.head()
		body := make([]byte, 4)
		_, _ = io.ReadFull(p.r, body)
		got <- text + string(body)
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	r := request("POST")
	r.Path, r.Query, r.Host, r.CallID = "/a%20b", "q=1", "example.org", "id-1"
	r.Header = faas.Header{{Name: "x-Odd", Value: "1"}, {Name: "X-Odd", Value: "2"}, {Name: "Content-Length", Value: "99"},
		{Name: "Connection", Value: "close"}, {Name: "Expect", Value: "100-continue"}, {Name: "host", Value: "evil"}}
	r.Body, r.Size = strings.NewReader("body"), 4
	resp, err := s.client(t).Do(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	want := "POST /a%20b?q=1 HTTP/1.1\r\nHost: example.org\r\nX-Call-Id: id-1\r\nx-Odd: 1\r\nX-Odd: 2\r\nContent-Length: 4\r\n\r\nbody"
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Error(diff)
	}
}

// TestEarlyAnswer: a function may answer and close before it has read the body.
func TestEarlyAnswer(t *testing.T) {
	s := listen(t, func(_ int, p *peer) {
		p.head()
		p.say("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
	})
	c := s.client(t)
	for range 20 {
		r := request("POST")
		r.Body, r.Size = io.LimitReader(zeros{}, 32<<20), 32<<20
		resp, err := c.Do(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.Status != 413 || string(body) != "large" || err != nil {
			t.Errorf("status %d, body %q, error %v", resp.Status, body, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestDeadConnection: a kept connection that the function closed is not used
// again, and no call is lost by it.
func TestDeadConnection(t *testing.T) {
	var calls atomic.Int64
	s := listen(t, func(_ int, p *peer) {
		if p.head() == "" {
			return
		}
		calls.Add(1)
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	c := s.client(t)
	for range 50 {
		r := request("POST")
		r.Body, r.Size = bytes.NewReader([]byte("x")), 1
		resp, err := c.Do(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		time.Sleep(2 * time.Millisecond) // the close is to arrive
	}
	_ = s.l.Close()
	s.conns.Wait()
	if calls.Load() != 50 {
		t.Errorf("the function ran %d times, want 50", calls.Load())
	}
}

// TestNoRetry: what may have run is not run again.
func TestNoRetry(t *testing.T) {
	calls := make(chan int, 10)
	s := listen(t, func(n int, p *peer) {
		for i := 0; p.head() != ""; i++ {
			calls <- n
			if i == 1 {
				return // dies with the second request of a connection
			}
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	c := s.client(t)
	resp, err := c.Do(t.Context(), request("GET"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if _, err = c.Do(t.Context(), request("GET"), nil); err == nil || errors.Is(err, faas.ErrNotStarted) {
		t.Errorf("error %v, want one of a function that may have run", err)
	}
	if len(calls) != 2 {
		t.Errorf("the function was called %d times, want 2", len(calls))
	}
}

func TestNobodyListens(t *testing.T) {
	s := listen(t, func(int, *peer) {})
	_ = s.l.Close()
	r := request("POST")
	r.Body, r.Size = failOnRead{t}, 10
	_, err := s.client(t).Do(t.Context(), r, nil)
	if !errors.Is(err, faas.ErrNotStarted) {
		t.Errorf("error %v", err)
	}
}

type failOnRead struct{ t *testing.T }

func (f failOnRead) Read([]byte) (int, error) {
	f.t.Error("the body was read though the function was not reached")
	return 0, io.EOF
}

// TestCancel: each phase of a call ends with its context, and the function
// sees its connection close.
func TestCancel(t *testing.T) {
	for name, answer := range map[string]string{
		"before the header": "",
		"within the body":   "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			reached, gone := make(chan bool, 1), make(chan bool, 1)
			s := listen(t, func(_ int, p *peer) {
				p.head()
				p.say(answer)
				reached <- true
				_, _ = p.r.ReadByte()
				gone <- true
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { <-reached; cancel() }()
			resp, err := s.client(t).Do(ctx, request("GET"), nil)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) || errors.Is(err, faas.ErrNotStarted) {
				t.Errorf("error %v", err)
			}
			<-gone
		})
	}
}

// TestCancelBeforeItIsSent: a kept connection is closed under a call that has not
// used it yet; no other takes its place, and the function hears nothing.
func TestCancelBeforeItIsSent(t *testing.T) {
	calls := make(chan string, 10)
	s := listen(t, func(_ int, p *peer) {
		for h := p.head(); h != ""; h = p.head() {
			calls <- h
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	c := s.client(t)
	resp, err := c.Do(t.Context(), request("GET"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	closed := make(chan bool)
	context.AfterFunc(ctx, func() { time.AfterFunc(50*time.Millisecond, func() { close(closed) }) })
	r := request("POST")
	r.Body, r.Size = &cancels{strings.NewReader("x"), func() { cancel(); <-closed }}, 1
	if _, err = c.Do(ctx, r, nil); !errors.Is(err, faas.ErrNotStarted) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(calls) != 1 {
		t.Errorf("the function was called %d times, want once", len(calls))
	}
}

// cancels is a body at hand that cancels its call when it is read.
type cancels struct {
	*strings.Reader
	cancel func()
}

func (c *cancels) Read(p []byte) (int, error) {
	c.cancel()
	return c.Reader.Read(p)
}

func TestUpgrade(t *testing.T) {
	s := listen(t, func(_ int, p *peer) {
		if h := p.head(); !strings.Contains(h, "Connection: Upgrade\r\nUpgrade: lines\r\n") {
			p.say("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
			return
		}
		p.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\nearly ")
		all, _ := io.ReadAll(p.r) // until our half is closed
		p.say(strings.ToUpper(string(all)))
	})
	r := request("GET")
	r.Upgrade = "lines"
	resp, err := s.client(t).Do(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Status != 101 || resp.Conn == nil {
		t.Fatalf("status %d, conn %v", resp.Status, resp.Conn)
	}
	if _, err := io.WriteString(resp.Conn, "shout"); err != nil {
		t.Fatal(err)
	}
	if err := resp.Conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Conn)
	if string(got) != "early SHOUT" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := resp.Conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestKeptConnections: as many connections as calls at once, no more.
func TestKeptConnections(t *testing.T) {
	conns := make(chan int, 100)
	s := listen(t, func(n int, p *peer) {
		conns <- n
		for p.head() != "" {
			p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
		}
	})
	c := s.client(t)
	for range 50 {
		resp, err := c.Do(t.Context(), request("GET"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := resp.Body.(interface{ Buffered() int }); !ok || n.Buffered() > 2 {
			t.Fatal("Body says that more is buffered than there is")
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if len(conns) != 1 {
		t.Errorf("%d connections for calls one after another", len(conns))
	}
}

func TestCloseEndsIdleConnections(t *testing.T) {
	ended := make(chan bool)
	s := listen(t, func(_ int, p *peer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		p.head()
		ended <- true
	})
	c := s.client(t)
	resp, err := c.Do(t.Context(), request("GET"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	_ = c.Close()
	<-ended
}

var _ net.Conn = (*peer)(nil)

// TestBodiesAtHand sends bodies that are copied, lent and streamed, over one
// connection.
func TestBodiesAtHand(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer s.Close()
	c := httpcall.New(s.Listener.Addr().String(), httpcall.Default())
	defer c.Close()
	for _, size := range []int{1, 4 << 10, 4<<10 + 1, 64 << 10, 64<<10 + 1, 1 << 20, 5000} {
		body := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		for _, from := range []io.Reader{bytes.NewReader(body), bytes.NewBuffer(body)} {
			r := request("POST")
			r.Body, r.Size = from, int64(size)
			resp, err := c.Do(t.Context(), r, nil)
			if err != nil {
				t.Fatal(size, err)
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%T of %d bytes: got %d back, %v", from, size, len(got), err)
			}
			_ = resp.Body.Close()
		}
	}
}

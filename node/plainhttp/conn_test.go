package plainhttp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const post = "POST /function/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"

// interrupted tells of an Interrupt.
type interrupted chan struct{}

func (i interrupted) Interrupt() { close(i) }

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Errorf("%s: not within %v", what, patience)
	}
}

// served answers with h, which gets the connection; requests with an odd field come
// over one of net/http's.
func served(t *testing.T, h func(c Conn, w http.ResponseWriter, r *http.Request)) string {
	type key struct{}
	l := listen(t)
	s := New(quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h(r.Context().Value(key{}).(Conn), w, r)
	})), prefix, func(ctx context.Context, c Conn) context.Context { return context.WithValue(ctx, key{}, c) })
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String()
}

// requests by who serves them.
var requests = map[string]string{
	"plain":    post,
	"net/http": strings.Replace(post, "\r\n\r\n", "\r\nTE: trailers\r\n\r\n", 1),
}

// A client that goes away during a request is told of in every way.
func TestClientGoesAway(t *testing.T) {
	for name, raw := range requests {
		for how, away := range map[string]func(*net.TCPConn){
			"closes":      func(c *net.TCPConn) { _ = c.Close() },
			"resets":      func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
			"half-closes": func(c *net.TCPConn) { _ = c.CloseWrite() },
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				watching, over := make(chan struct{}), make(chan struct{})
				addr := served(t, func(c Conn, _ http.ResponseWriter, r *http.Request) {
					defer close(over)
					gone, ctx, done := make(interrupted), r.Context(), make(chan struct{})
					context.AfterFunc(ctx, func() { close(done) })
					c.Watch(gone)
					if c.Gone() {
						t.Error("gone before it is")
					}
					close(watching)
					await(t, "the watcher", gone)
					await(t, "the context", ctx.Done())
					await(t, "what hangs on the context", done)
					if !c.Gone() || c.Unwatch(gone) || !errors.Is(ctx.Err(), context.Canceled) {
						t.Errorf("gone %v, context %v, or could still be unwatched", c.Gone(), ctx.Err())
					}
					late := make(interrupted)
					c.Watch(late)
					await(t, "a watcher after it is gone", late)
				})
				conn := dial(t, addr)
				_, _ = io.WriteString(conn, raw)
				await(t, "the request", watching)
				away(conn)
				await(t, "the handler's end", over)
			})
		}
	}
}

// What a client sends during a request is its next one.
func TestClientThatSendsMoreIsNotGone(t *testing.T) {
	for name, raw := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := make(chan struct{}, 2)
			addr := served(t, func(c Conn, _ http.ResponseWriter, r *http.Request) {
				never := make(interrupted)
				c.Watch(never)
				began <- struct{}{}
				time.Sleep(4 * pollTime)
				if c.Gone() || r.Context().Err() != nil || !c.Unwatch(never) {
					t.Errorf("gone %v, context %v, or cannot be unwatched", c.Gone(), r.Context().Err())
				}
			})
			conn := dial(t, addr)
			answers := bufio.NewReader(conn)
			_, _ = io.WriteString(conn, raw)
			await(t, "the request", began)
			_, _ = io.WriteString(conn, raw[:9])
			time.Sleep(2 * pollTime)
			_, _ = io.WriteString(conn, raw[9:])
			for range 2 {
				readOK(t, answers)
			}
		})
	}
}

func readOK(t *testing.T, answers *bufio.Reader) {
	t.Helper()
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", resp.Status, err)
	}
}

// A context is over with its request, for who asked before and who asks later.
func TestContextEnds(t *testing.T) {
	var before <-chan struct{}
	var ctx context.Context
	addr := served(t, func(_ Conn, _ http.ResponseWriter, r *http.Request) {
		if ctx == nil {
			ctx = r.Context()
			before = ctx.Done()
		}
	})
	conn := dial(t, addr)
	answers := bufio.NewReader(conn)
	for range 2 { // with the second answer, the first request is over
		_, _ = io.WriteString(conn, post)
		readOK(t, answers)
	}
	await(t, "the context", before)
	await(t, "the context asked late", ctx.Done())
	if ctx.Err() != context.Canceled {
		t.Error(ctx.Err())
	}
}

// A body is read within the limit that the handler sets, and only then.
func TestReadDeadline(t *testing.T) {
	_, addr := serve(t, quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Unix(1, 0))
		b := make([]byte, 2)
		n, err := io.ReadFull(r.Body, b)
		_ = control.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, late := r.Body.Read(b)
		fmt.Fprint(w, n, err, errors.Is(late, os.ErrDeadlineExceeded))
	})))
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, "POST /function/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if string(body) != "2 <nil> true" || err != nil || !resp.Close {
		t.Errorf("%q, %v, closes %t", body, err, resp.Close)
	}
}

// Another goroutine may end a read that waits, and is harmless later.
func TestReadIsInterrupted(t *testing.T) {
	var first http.ResponseWriter
	_, addr := serve(t, quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if first != nil {
			_ = http.NewResponseController(first).SetReadDeadline(time.Unix(1, 0))
			_, err := io.ReadAll(r.Body)
			fmt.Fprint(w, err)
			return
		}
		first = w
		go func() { // ends at once
			time.Sleep(10 * time.Millisecond)
			_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		}()
		b := make([]byte, 5)
		n, err := io.ReadFull(r.Body, b)
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		n2, err2 := io.ReadFull(r.Body, b[n:])
		fmt.Fprint(w, n, errors.Is(err, os.ErrDeadlineExceeded), n2, err2 != nil)
	})))
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, "POST /function/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbo")
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); string(body) != "2 true 0 true" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	conn = dial(t, addr)
	_, _ = io.WriteString(conn, "POST /function/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbo")
	time.Sleep(10 * time.Millisecond)
	_, _ = io.WriteString(conn, "dy!")
	resp, err = http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); string(body) != "<nil>" || err != nil {
		t.Errorf("a later request: %q, %v", body, err)
	}
}

// Who does not send a head in time is cut off, at whatever point; who is between
// two requests is not.
func TestSlowHead(t *testing.T) {
	const limit = 300 * time.Millisecond
	h := quiet(http.HandlerFunc(plays))
	h.ReadHeaderTimeout = limit
	_, addr := serve(t, h)
	for name, raw := range map[string]string{
		"nothing": "", "half a line": "GET /fun", "half a head": "GET /function/small HTTP/1.1\r\nHost: x\r\nA: ",
		"half of the second": get("small", 1) + "G",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, addr)
			for i := range raw {
				if _, err := io.WriteString(conn, raw[i:i+1]); err != nil {
					break
				}
			}
			if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
				t.Errorf("it was not closed: %v", err)
			}
		})
	}
	t.Run("between", func(t *testing.T) {
		t.Parallel()
		conn := dial(t, addr)
		answers := bufio.NewReader(conn)
		for range 3 {
			_, _ = io.WriteString(conn, get("small", 1))
			readOK(t, answers)
			time.Sleep(limit * 4 / 3)
		}
	})
	t.Run("trickles", func(t *testing.T) {
		t.Parallel()
		conn := dial(t, addr)
		for end := time.Now().Add(patience); ; time.Sleep(limit / 10) {
			if _, err := io.WriteString(conn, "a"); err != nil {
				return
			}
			if time.Now().After(end) {
				t.Fatal("a head that never ends is read for ever")
			}
		}
	})
}

func isReset(err error) bool { return !isTimeout(err) }

// The idle time of the http.Server holds.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	h := quiet(http.HandlerFunc(plays))
	h.IdleTimeout = 500 * time.Millisecond
	_, addr := serve(t, h)
	conn := dial(t, addr)
	answers := bufio.NewReader(conn)
	for range 3 {
		_, _ = io.WriteString(conn, get("small", 1))
		readOK(t, answers)
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("it was not closed: %v", err)
	}
}

// A client that ends its sending right behind its request gets the answer, and the
// connection ends, though nothing more ever comes.
func TestEndRightBehindARequest(t *testing.T) {
	s, addr := serve(t, quiet(http.HandlerFunc(plays)))
	for range 50 {
		conn := dial(t, addr)
		_, _ = io.WriteString(conn, get("small", 1))
		_ = conn.CloseWrite()
		answers := bufio.NewReader(conn)
		readOK(t, answers)
		if _, err := answers.ReadByte(); err != io.EOF {
			t.Fatalf("it was not closed: %v", err)
		}
	}
	eventually(t, "the connections' end", func() bool { return s.count() == 0 })
}

// Many clients at once, of all kinds, get their own answers.
func TestManyAtOnce(t *testing.T) {
	_, addr := serve(t, quiet(http.HandlerFunc(plays)))
	var clients sync.WaitGroup
	for i := range 32 {
		clients.Go(func() {
			conn := dial(t, addr)
			answers := bufio.NewReader(conn)
			for k := range 50 {
				text := strings.Repeat(fmt.Sprintf("%d/%d ", i, k), 1+(i*k)%3000)
				extra := ""
				if i%4 == 0 && k > 25 {
					extra = "TE: trailers\r\n" // net/http's from then on
				}
				fmt.Fprintf(conn, "POST /function/echo/%d/%d HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", i, k, extra, len(text), text)
				resp, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || !strings.Contains(string(body), text) || !strings.Contains(string(body), fmt.Sprintf("/function/echo/%d/%d", i, k)) {
					t.Errorf("%d/%d: %d bytes, %v", i, k, len(body), err)
				}
			}
			_ = conn.Close()
		})
	}
	clients.Wait()
}

// What an idle connection holds besides its goroutine's stack.
func TestIdleConnectionsHoldLittle(t *testing.T) {
	const conns, most = 500, 3 << 10
	s, addr := serve(t, quiet(http.HandlerFunc(plays)))
	before := heap()
	answers := bufio.NewReader(nil)
	for range conns {
		conn := dial(t, addr)
		_, _ = io.WriteString(conn, get("small", 1))
		answers.Reset(conn)
		readOK(t, answers)
	}
	eventually(t, "rest", func() bool { return s.idleCount() == conns })
	got := (heap() - before) / conns
	t.Logf("%d bytes for an idle connection, its client's included", got)
	if got > most {
		t.Errorf("%d bytes, want at most %d", got, most)
	}
}

func (s *Server) idleCount() (n int) {
	for _, c := range s.all() {
		if c.state.Load() == idle {
			n++
		}
	}
	return n
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // the second one empties pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The server's own memory for a request: the exchange and the head's text.
func TestAllocations(t *testing.T) {
	const most = 3
	answer := []byte("answer")
	_, addr := serve(t, quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = textPlain
		_, _ = w.Write(answer)
	})))
	conn, request, in := dial(t, addr), []byte(post), make([]byte, 4096)
	got := testing.AllocsPerRun(500, func() {
		_, _ = conn.Write(request)
		if n, err := conn.Read(in); err != nil || n < 50 {
			t.Error(n, err)
		}
	})
	t.Logf("%.0f allocations", got)
	if got > most && !forgetful {
		t.Errorf("%.0f allocations, want at most %d", got, most)
	}
}

var textPlain = []string{"text/plain"}

// The handler runs on the connection's goroutine, and there is no other.
func TestOneGoroutine(t *testing.T) {
	var inside atomic.Int64
	_, addr := serve(t, quiet(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		inside.Store(int64(runtime.NumGoroutine()))
	})))
	conn := dial(t, addr)
	answers := bufio.NewReader(conn)
	eventually(t, "a request that needs no goroutine", func() bool { // polls come now and then
		before := runtime.NumGoroutine()
		_, _ = io.WriteString(conn, post)
		readOK(t, answers)
		return int(inside.Load()) <= before
	})
}

func BenchmarkServe(b *testing.B) {
	for _, by := range []string{"plain", "net-http"} {
		b.Run(by, func(b *testing.B) {
			h := quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = textPlain
				_, _ = io.WriteString(w, "answer")
			}))
			var addr string
			if by == "plain" {
				_, addr = serve(b, h)
			} else {
				addr = serveNetHTTP(b, h)
			}
			conn, request, in := dial(b, addr), []byte(post), make([]byte, 4096)
			_ = conn.SetDeadline(time.Time{})
			b.ReportAllocs()
			for b.Loop() {
				_, _ = conn.Write(request)
				if _, err := conn.Read(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a handler leaves behind does no harm to the requests after it.
func TestStragglers(t *testing.T) {
	var w http.ResponseWriter
	var r *http.Request
	_, addr := serve(t, quiet(http.HandlerFunc(func(w1 http.ResponseWriter, r1 *http.Request) {
		if w != nil {
			_, _ = w.Write([]byte("of another"))
			n, err := r.Body.Read(make([]byte, 4))
			control := http.NewResponseController(w)
			fmt.Fprint(w1, n, err == http.ErrBodyReadAfterClose, control.Flush() != nil,
				control.SetReadDeadline(time.Unix(1, 0)) != nil, control.SetWriteDeadline(time.Unix(1, 0)) != nil)
			return
		}
		w, r = w1, r1
		if r.URL.RawQuery == "panics" {
			panic(http.ErrAbortHandler)
		}
	})))
	for _, how := range []string{"returns", "panics"} {
		w, r = nil, nil
		conn := dial(t, addr)
		_, _ = io.WriteString(conn, strings.Replace(post, " HTTP", "?"+how+" HTTP", 1))
		answers := bufio.NewReader(conn)
		if how == "returns" {
			readOK(t, answers)
		} else {
			_, _ = io.Copy(io.Discard, conn)
			conn = dial(t, addr)
			answers.Reset(conn)
		}
		_, _ = io.WriteString(conn, post)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "0 true true true true" || err != nil {
			t.Errorf("%s: %q, %v", how, body, err)
		}
	}
}

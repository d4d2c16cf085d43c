package wasi_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// hidden shows nothing of a reader but Read.
type hidden struct{ io.Reader }

// atHand tells how much can be read without waiting.
type atHand struct{ *strings.Reader }

func (r atHand) Buffered() int { return r.Len() }

func TestEcho(t *testing.T) {
	b := newBed(t, wasitest.Echo(), wasi.Config{})
	for _, size := range []int{0, 1, 1000, 32 << 10, 64 << 10, 64<<10 + 1, 3 << 20} {
		body := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for how, r := range map[string]*faas.Request{
			"known":   {Method: "POST", Body: strings.NewReader(body), Size: int64(size)},
			"at hand": {Method: "POST", Body: atHand{strings.NewReader(body)}, Size: int64(size)},
			"unsized": {Method: "POST", Body: hidden{strings.NewReader(body)}, Size: -1},
			"longer":  {Method: "POST", Body: strings.NewReader(body + "more"), Size: int64(size)},
		} {
			resp, got, err := b.call(r)
			if err != nil || resp.Status != 200 || got != body {
				t.Errorf("%d bytes, %s: status %v, %d bytes came back, error %v", size, how, resp, len(got), err)
			} else if resp.Size >= 0 && resp.Size != int64(size) {
				t.Errorf("%d bytes, %s: Size %d", size, how, resp.Size)
			}
		}
	}
}

// TestStream: an event stream is passed on as it is written, while the request
// goes on.
func TestStream(t *testing.T) {
	b := newBed(t, wasitest.Echo(), wasi.Config{})
	body, feed := io.Pipe()
	go func() { _, _ = io.WriteString(feed, "data: 1\n") }()
	resp, err := b.runner.Invoke(t.Context(), &faas.Request{
		Method: "POST", Body: body, Size: -1, Header: faas.Header{{Name: "Accept", Value: "text/event-stream"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("content type %q", ct)
	}
	lines := bufio.NewReader(resp.Body)
	for i := 1; i < 10; i++ {
		if got, err := lines.ReadString('\n'); got != fmt.Sprintf("data: %d\n", i) || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		_, _ = fmt.Fprintf(feed, "data: %d\n", i+1)
	}
	_ = feed.Close()
	if rest, err := io.ReadAll(lines); string(rest) != "data: 10\n" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestEnvironment(t *testing.T) {
	b := newBed(t, wasitest.Environ(), wasi.Config{Env: []string{"colour=blue sky"}})
	_, got, err := b.call(&faas.Request{
		Method: "GET", Path: "/a/b", Query: "x=1", Host: "example.org", CallID: "id-1",
		Header: faas.Header{{Name: "x-two", Value: "1"}, {Name: "X-Two", Value: "2"}, {Name: "Proxy", Value: "evil"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(got, "\x00")
	for _, want := range []string{
		"colour=blue sky", "Http_Method=GET", "Http_Path=/a/b", "Http_Query=x=1", "Http_Host=example.org",
		"Http_Content_Length=0", "Http_X_Call_Id=id-1", "Http_X_Two=1",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("%q is missing in %q", want, env)
		}
	}
	if strings.Contains(got, "evil") || strings.Contains(got, "PATH") {
		t.Errorf("there is too much in %q", env)
	}
}

// TestEnvironmentsAreApart: what one invocation is told, no other sees.
func TestEnvironmentsAreApart(t *testing.T) {
	b := newBed(t, wasitest.Environ(), wasi.Config{Env: make([]string, 0, 64)})
	var callers sync.WaitGroup
	for i := range 64 {
		callers.Go(func() {
			mine := fmt.Sprintf("number-%d", i)
			_, got, err := b.call(&faas.Request{Method: "GET", Header: faas.Header{{Name: "X-Mine", Value: mine}}})
			if !strings.Contains(got, "Http_X_Mine="+mine+"\x00") || err != nil {
				t.Errorf("caller %d: %q, %v", i, got, err)
			}
		})
	}
	callers.Wait()
}

func TestEnds(t *testing.T) {
	big := strings.Repeat("x", 1000)
	tests := []struct {
		name    string
		module  []byte
		cfg     wasi.Config
		method  string
		status  int
		body    string
		err     error
		trailer string
		log     string
	}{
		{name: "good", module: wasitest.Say("fine\n", "", 0), status: 200, body: "fine\n"},
		{name: "exit 0", module: wasitest.Flood("y", 3, 0), status: 200, body: "yyy"},
		{name: "failure", module: wasitest.Say("partly\n", "why\n", 3), status: 500, body: "exit status 3\npartly\nwhy\n", log: "1 why\n"},
		{name: "errors apart", module: wasitest.Say("partly\n", "why", 3), cfg: with(watchdog.Settings{CGIHeaders: true}), status: 500, body: "exit status 3\npartly\n", log: "1 why\n"},
		{name: "content type", module: wasitest.Say("{}", "", 0), cfg: with(watchdog.Settings{ContentType: "application/json"}), status: 200, body: "{}"},
		{name: "debug", module: wasitest.Say("answer\n", "", 0), cfg: with(watchdog.Settings{WriteDebug: true}), status: 200, body: "answer\n", log: "1 answer\n"},
		{name: "trap", module: wasitest.Trap(), status: 500, body: "wasm error: unreachable\n", log: "wasm stack trace"},
		{name: "wrote", module: wasitest.Say("fine\n", "", 0), status: 200, body: "fine\n", log: "1 Wrote 5 Bytes - Duration: 0."},
		{name: "too slow", module: wasitest.Spin(), cfg: with(watchdog.Settings{ExecTimeout: 50 * time.Millisecond}), status: 408, body: "Killed process.\n"},
		{name: "late failure", module: wasitest.Flood(big, 100, 7), status: 200, body: strings.Repeat(big, 100), err: io.ErrUnexpectedEOF, trailer: "exit status 7"},
		{name: "late success", module: wasitest.Flood(big, 100, 0), status: 200, body: strings.Repeat(big, 100)},
		{name: "head", module: wasitest.Say("fine\n", "", 0), method: "HEAD", status: 200},
		{name: "head of much", module: wasitest.Flood(big, -1, 0), method: "HEAD", status: 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.cfg.Settings == (watchdog.Settings{}) {
				tt.cfg = with(watchdog.Settings{CombineOutput: true})
			}
			b := newBed(t, tt.module, tt.cfg)
			resp, body, err := b.call(&faas.Request{Method: tt.method})
			if resp == nil {
				t.Fatal(err)
			}
			if resp.Status != tt.status || body != tt.body || !errors.Is(err, tt.err) {
				t.Errorf("status %d, %d bytes %.60q, error %v", resp.Status, len(body), body, err)
			}
			if got := resp.Trailer().Get(watchdog.ExitTrailer); got != tt.trailer {
				t.Errorf("trailer says %q, want %q", got, tt.trailer)
			}
			if !strings.Contains(b.log(), tt.log) {
				t.Errorf("log %q, want %q", b.log(), tt.log)
			}
		})
	}
}

func with(s watchdog.Settings) wasi.Config { return wasi.Config{Settings: s} }

func TestMaxInflight(t *testing.T) {
	b := newBed(t, wasitest.Echo(), with(watchdog.Settings{MaxInflight: 2, ContentType: "text/event-stream"}))
	var open []*faas.Response
	for range 2 {
		resp, err := b.runner.Invoke(t.Context(), &faas.Request{Body: failingLater(t), Size: -1})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, resp)
	}
	if resp, body, err := b.post("x"); err != nil || resp.Status != 429 || !strings.Contains(body, "2") {
		t.Errorf("%v, %q, %v", resp, body, err)
	}
	for _, resp := range open {
		_ = resp.Body.Close()
	}
	for {
		resp, _, err := b.post("x")
		if err != nil {
			t.Fatal(err)
		}
		if resp.Status == 200 {
			return
		}
	}
}

func TestReadTimeout(t *testing.T) {
	b := newBed(t, wasitest.Echo(), with(watchdog.Settings{ReadTimeout: 50 * time.Millisecond}))
	resp, body, err := b.call(&faas.Request{Body: failingLater(t), Size: -1})
	if err != nil || resp.Status != 400 || !strings.Contains(body, "read_timeout") {
		t.Errorf("%v, %q, %v", resp, body, err)
	}
}

// TestLateTimeout cuts an answer that has begun.
func TestLateTimeout(t *testing.T) {
	b := newBed(t, wasitest.Flood("x", -1, 0), with(watchdog.Settings{ExecTimeout: 300 * time.Millisecond}))
	if err := b.runner.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp, _, err := b.post("")
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, watchdog.ErrTimeout) {
		t.Fatalf("error %v", err)
	}
	if got := resp.Trailer().Get(watchdog.ExitTrailer); got != "exec_timeout passed" {
		t.Errorf("trailer says %q", got)
	}
}

func TestMemoryLimit(t *testing.T) {
	for _, tt := range []struct {
		limit, grow int64
		status      int
	}{{1 << 20, 15, 500}, {1 << 20, 14, 200}, {1<<20 + 1, 15, 200}, {0, 1022, 200}, {0, 1023, 500}} {
		b := newBed(t, wasitest.Grow(int32(tt.grow)), wasi.Config{MemoryLimit: tt.limit})
		if resp, body, err := b.post(""); err != nil || resp.Status != tt.status {
			t.Errorf("limit %d, 2+%d pages: %v, %q, %v", tt.limit, tt.grow, resp, body, err)
		}
	}
	b := newBed(t, wasitest.Module{Memory: 100}.Bytes(), wasi.Config{MemoryLimit: 1 << 20})
	_, _, err := b.post("")
	if !errors.Is(err, wasi.ErrModule) || !errors.Is(err, faas.ErrNotStarted) || !strings.Contains(err.Error(), "limits.memory") {
		t.Errorf("error %v", err)
	}
}

func TestBodyThatFails(t *testing.T) {
	broken := errors.New("broken")
	b := newBed(t, wasitest.Echo(), wasi.Config{})
	for _, size := range []int64{-1, 1000} {
		body := io.MultiReader(strings.NewReader("some"), failing{broken})
		if _, got, err := b.call(&faas.Request{Body: body, Size: size}); !errors.Is(err, broken) {
			t.Errorf("size %d: answer %q, error %v", size, got, err)
		}
	}
	for _, body := range []io.Reader{strings.NewReader("short"), atHand{strings.NewReader("short")}} {
		if _, got, err := b.call(&faas.Request{Body: body, Size: 10}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a body shorter than its size: answer %q, error %v", got, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestConcurrency: 64 invocations at once are each other's strangers.
func TestConcurrency(t *testing.T) {
	b := newBed(t, wasitest.Echo(), wasi.Config{})
	var callers sync.WaitGroup
	for c := range 64 {
		callers.Go(func() {
			for i := range 20 {
				body := strings.Repeat(fmt.Sprintf("%d-%d ", c, i), 1+i*500)
				if _, got, err := b.post(body); got != body || err != nil {
					t.Errorf("caller %d got another's answer (error %v)", c, err)
				}
			}
		})
	}
	callers.Wait()
}

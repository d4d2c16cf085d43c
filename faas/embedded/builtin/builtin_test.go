package builtin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas/embedded/builtin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, name string) *httptest.Server {
	t.Helper()
	h, err := builtin.Handler(name)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, s *httptest.Server, path string) (int, string) {
	t.Helper()
	resp, err := s.Client().Get(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func counters(t *testing.T, s *httptest.Server) (c builtin.Counters) {
	t.Helper()
	_, body := get(t, s, builtin.CountersPath)
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnswers(t *testing.T) {
	t.Setenv("OPENFAAS_NAME", "greeter")
	tests := []struct {
		function, path string
		status         int
		says           string
	}{
		{"hello", "/", 200, "hello from greeter on "},
		{"sleep", "/?d=1ms", 200, "slept 1ms"},
		{"sleep", "/?duration=2ms", 200, "slept 2ms"},
		{"sleep", "/?d=soon", 400, "250ms"},
		{"sleep", "/?d=-1s", 400, "250ms"},
		{"burn", "/?d=1ms", 200, "burned 1ms"},
		{"stream", "/?n=2&every=1ms", 200, "data: {\"event\":0}\n\ndata: {\"event\":1}\n\n"},
		{"stream", "/?n=x", 400, "number of events"},
		{"env", "/a%20b?q=1", 200, `"path": "/a%20b"`},
		{"echo", "/?status=404", 404, ""},
	}
	for _, tt := range tests {
		s := serve(t, tt.function)
		if status, body := get(t, s, tt.path); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s%s: status %d, %q", tt.function, tt.path, status, body)
		}
		if c := counters(t, s); c.Started != 1 || c.Finished != 1 || c.InFlight != 0 {
			t.Errorf("%s: counters %+v", tt.function, c)
		}
	}
}

func TestSleepIsAskedInMoreWays(t *testing.T) {
	s := serve(t, "sleep")
	for name, ask := range map[string]func() *http.Request{
		"body": func() *http.Request { return httptest.NewRequest("POST", s.URL, strings.NewReader("3ms\n")) },
		"field": func() *http.Request {
			r := httptest.NewRequest("GET", s.URL, nil)
			r.Header.Set("X-Duration", "3ms")
			return r
		},
	} {
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, ask())
		if got := w.Body.String(); got != "slept 3ms\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
	t.Setenv("duration", "4ms")
	if _, body := get(t, s, "/"); body != "slept 4ms\n" {
		t.Errorf("environment: %q", body)
	}
}

// TestCancelled: a caller that leaves ends the work, and is counted.
func TestCancelled(t *testing.T) {
	for _, function := range []string{"sleep", "burn", "stream"} {
		s := serve(t, function)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "GET", s.URL+"/?d=1h&every=1h", nil)
			resp, err := s.Client().Do(r)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			done <- err
		}()
		until(t, function+" runs", func() bool { return counters(t, s).InFlight == 1 })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", function, err)
		}
		until(t, function+" noticed", func() bool { return counters(t, s) == builtin.Counters{Started: 1, Cancelled: 1} })
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- builtin.Run(ctx, "hello", "0", w) }()
	line, err := bufio.NewReader(r).ReadString('\n')
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "listens on ")
	if err != nil || !ok || !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Fatalf("%q, %v", line, err)
	}
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := builtin.Run(t.Context(), "nothing", "0", io.Discard); err == nil || !strings.Contains(err.Error(), "burn, echo, env, hello, sleep, stream") {
		t.Errorf("error %v", err)
	}
	if err := builtin.Run(t.Context(), "hello", "no port", io.Discard); err == nil {
		t.Error("a port that is none is accepted")
	}
}

// A function that does not care for its request's body must not break the
// connection for the next request.
func TestUnreadBodiesBreakNothing(t *testing.T) {
	for _, name := range builtin.Names() {
		t.Run(name, func(t *testing.T) {
			s := serve(t, name)
			done := make(chan error)
			for range 8 {
				go func() {
					for range 50 {
						resp, err := s.Client().Post(s.URL+"/?d=1ms&n=1&every=1ms", "text/plain", slowly("1ms"))
						if err != nil {
							done <- err
							return
						}
						_, err = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
						if err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range 8 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			s.Client().CloseIdleConnections()
		})
	}
}

// slowly gives a body whose bytes come one by one.
func slowly(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) }

package plainhttp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// Shutdown closes what is idle, lets what is under way be answered, and says with
// the answer that it is the last.
func TestShutdown(t *testing.T) {
	for name, raw := range requests {
		t.Run(name, func(t *testing.T) {
			began, goOn := make(chan struct{}), make(chan struct{})
			s, addr := serve(t, quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					close(began)
					<-goOn
				}
			})))
			unused, used, half, busy := dial(t, addr), dial(t, addr), dial(t, addr), dial(t, addr)
			_, _ = io.WriteString(half, "GET /function/x HT")
			answers := bufio.NewReader(used)
			_, _ = io.WriteString(used, get("x", 1))
			readOK(t, answers)
			_, _ = io.WriteString(busy, raw)
			await(t, "the request", began)
			down := make(chan error)
			go func() { down <- s.Shutdown(context.Background()) }()
			for name, c := range map[string]io.Reader{"unused": unused, "used": answers, "half": half} {
				if _, err := c.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("%s: %v, want its end", name, err)
				}
			}
			select {
			case err := <-down:
				t.Errorf("shut down before the answer: %v", err)
			default:
			}
			close(goOn)
			resp, err := http.ReadResponse(bufio.NewReader(busy), nil)
			if err != nil || !resp.Close {
				t.Fatalf("%v, says that it is the last: %t", err, err == nil && resp.Close)
			}
			if err := <-down; err != nil {
				t.Error(err)
			}
			if err := s.Serve(listen(t)); err != http.ErrServerClosed {
				t.Errorf("served again: %v", err)
			}
		})
	}
}

func TestShutdownInVain(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	s, addr := serve(t, quiet(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(began)
		<-goOn
	})))
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, post)
	await(t, "the request", began)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	close(goOn)
	readOK(t, bufio.NewReader(conn))
}

// Close ends what is under way, whose handlers are told, and waits for it.
func TestClose(t *testing.T) {
	began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
	s, addr := serve(t, quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			began <- struct{}{}
			if r.ContentLength == 4 {
				<-r.Context().Done()
			} else {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			ended <- struct{}{}
		}
	})))
	idles, waits, reads := dial(t, addr), dial(t, addr), dial(t, addr)
	_, _ = io.WriteString(idles, get("x", 1))
	readOK(t, bufio.NewReader(idles))
	_, _ = io.WriteString(waits, post)
	_, _ = io.WriteString(reads, "POST /function/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbo")
	await(t, "one", began)
	await(t, "the other", began)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(ended) != 2 {
		t.Errorf("%d handlers have ended", len(ended))
	}
	for _, c := range []io.Reader{idles, waits, reads} {
		if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("%v, want the connection's end", err)
		}
	}
}

// Settings that it does not know have net/http serve everything.
func TestNothingIsPlain(t *testing.T) {
	for name, set := range map[string]func(*http.Server){
		"time to read":  func(h *http.Server) { h.ReadTimeout = time.Hour },
		"time to write": func(h *http.Server) { h.WriteTimeout = time.Hour },
		"small heads":   func(h *http.Server) { h.MaxHeaderBytes = 100 },
	} {
		t.Run(name, func(t *testing.T) {
			own := false
			h := quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, own = w.(*response) }))
			set(h)
			_, addr := serve(t, h)
			conn := dial(t, addr)
			_, _ = io.WriteString(conn, post)
			readOK(t, bufio.NewReader(conn))
			if own {
				t.Error("not served by net/http")
			}
		})
	}
}

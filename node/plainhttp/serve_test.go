package plainhttp

import (
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

const prefix = "/function/"

// listen listens on loopback.
func listen(t testing.TB) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// quiet is a server that logs nothing.
func quiet(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: patience}
}

// serve serves with a Server before h.
func serve(t testing.TB, h *http.Server) (*Server, string) {
	t.Helper()
	l, s := listen(t), New(h, prefix, nil)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-ended; err != http.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

// serveNetHTTP serves with net/http alone.
func serveNetHTTP(t testing.TB, h *http.Server) string {
	t.Helper()
	l, ended := listen(t), make(chan struct{})
	go func() { defer close(ended); _ = h.Serve(l) }()
	t.Cleanup(func() { _ = h.Close(); <-ended })
	return l.Addr().String()
}

// dial connects; everything over it must be done in time.
func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// count is how many connections s serves itself.
func (s *Server) count() int { return len(s.all()) }

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

package httpcall_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// raw is a function that speaks for itself: serve gets every connection.
type raw struct {
	l     net.Listener
	conns sync.WaitGroup
}

func listen(t testing.TB, serve func(n int, c *peer)) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &raw{l: l}
	s.conns.Go(func() { s.accept(serve) })
	t.Cleanup(func() {
		_ = l.Close()
		s.conns.Wait()
	})
	return s
}

func (s *raw) accept(serve func(int, *peer)) {
	for n := 0; ; n++ {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.conns.Go(func() {
			defer func() { _ = c.Close() }()
			serve(n, &peer{c, bufio.NewReader(c)})
		})
	}
}

func (s *raw) client(t testing.TB) *httpcall.Client {
	c := httpcall.New(s.l.Addr().String(), httpcall.Default())
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// peer is the function's end of a connection.
type peer struct {
	net.Conn
	r *bufio.Reader
}

// head reads a request's header; "" if the connection has ended.
func (p *peer) head() string {
	var b strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return ""
		}
		b.WriteString(line)
		if line == "\r\n" {
			return b.String()
		}
	}
}

func (p *peer) say(s string) { _, _ = p.Write([]byte(s)) }

func request(method string) *faas.Request {
	return &faas.Request{Name: faas.Name{Function: "f", Namespace: "n"}, Method: method}
}

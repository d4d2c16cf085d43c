package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// An answer that comes before the body's end must not let the rest of the body
// be read as a request.
func TestNoSmuggling(t *testing.T) {
	paths := make(chan string, 4)
	url := serve(t, func(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
		paths <- r.Path
		return answer(200, "early"), nil // the function does not want the body
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	smuggled := "GET /function/fn/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	size := invoke.FirstWindow + len(smuggled)
	io.WriteString(conn, "POST /function/fn/first HTTP/1.1\r\nHost: x\r\nContent-Length: "+itoa(size)+"\r\n\r\n")
	io.WriteString(conn, strings.Repeat("x", invoke.FirstWindow))
	time.Sleep(drainTime + 500*time.Millisecond)
	io.WriteString(conn, smuggled)
	conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	<-paths
	if resp, err := http.ReadResponse(r, nil); err == nil {
		t.Errorf("part of a body was answered as a request: %s, path %s", resp.Status, <-paths)
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// brokenConn is a function's connection that breaks off.
type brokenConn struct{ closed chan struct{} }

func (c *brokenConn) Read([]byte) (int, error)    { return 0, errors.New("broke off") }
func (c *brokenConn) Write(p []byte) (int, error) { return len(p), nil }
func (c *brokenConn) CloseWrite() error           { return nil }
func (c *brokenConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

// silentConn sends nothing, and minds only Close.
type silentConn struct {
	brokenConn
	half chan struct{}
}

func (c *silentConn) Read([]byte) (int, error) { <-c.closed; return 0, net.ErrClosed }
func (c *silentConn) CloseWrite() error        { close(c.half); return nil }

func upgraded(t *testing.T, url string) net.Conn {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "GET /function/fn HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	return conn
}

func TestUpgradeEndsWhenTheFunctionBreaksOff(t *testing.T) {
	c := &brokenConn{make(chan struct{})}
	url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
		return &invoke.Answer{Status: 101, Conn: c}, nil
	})
	conn := upgraded(t, url)
	defer conn.Close()
	select {
	case <-c.closed:
	case <-time.After(3 * time.Second):
		t.Error("the function's side broke off 3 s ago, and the invocation still holds its place, as long as the client does nothing")
	}
}

func TestUpgradeEndsWhenTheClientIsGone(t *testing.T) {
	c := &silentConn{brokenConn{make(chan struct{})}, make(chan struct{})}
	url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
		return &invoke.Answer{Status: 101, Conn: c}, nil
	})
	conn := upgraded(t, url)
	conn.(*net.TCPConn).SetLinger(0) // reset: the client has gone, not only ended its side
	conn.Close()
	select {
	case <-c.closed:
	case <-time.After(3 * time.Second):
		t.Error("the client was reset 3 s ago, the function's connection is still open")
		c.Close()
	}
}

// A client that stalls in a small body must be told when its deadline passes.
func TestStalledDrain(t *testing.T) {
	done := make(chan struct{})
	inner := New(invoker(func(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
		return answer(200, "early"), nil
	}), "self", "test/1")
	var s http.Server
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	s.Handler = inner
	go s.Serve(l)
	defer s.Close()
	conn, _ := net.Dial("tcp", l.Addr().String())
	defer conn.Close()
	io.WriteString(conn, "POST /function/fn HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Fatal(err)
	}
	go func() {
		ctx, c := context.WithTimeout(context.Background(), 5*time.Second)
		defer c()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down 5 s later: %v", err)
		}
		close(done)
	}()
	<-done
}

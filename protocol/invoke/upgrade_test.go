package invoke_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// function is the other end of an upgraded connection: it echoes, and says
// goodbye when its caller has ended.
func function(c net.Conn) {
	_, _ = io.Copy(c, c)
	_, _ = c.Write([]byte("bye"))
	_ = c.Close()
}

// tcpPair are two ends of one connection over loopback.
func tcpPair(t *testing.T) (*net.TCPConn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func upgrading(t *testing.T, serve func(net.Conn)) handlerFunc {
	return func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		near, far := tcpPair(t)
		go serve(far)
		return &invoke.Answer{Status: 101, Header: invoke.Header{{Name: "X-Up", Value: c.Upgrade}}, Conn: near}, nil
	}
}

func upgrade() *invoke.Request {
	return &invoke.Request{Function: "chat", Method: "GET", Upgrade: "websocket"}
}

func TestUpgrade(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, upgrading(t, function))
		a := mustInvoke(t, p, upgrade())
		if a.Status != 101 || a.Conn == nil || len(a.Header) != 1 || a.Header[0].Value != "websocket" {
			t.Fatalf("answer %+v", a)
		}
		buf := make([]byte, 5)
		for _, word := range []string{"hello", "world"} {
			if _, err := a.Conn.Write([]byte(word)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(a.Conn, buf); err != nil || string(buf) != word {
				t.Fatalf("%q came back, %v", buf, err)
			}
		}
		if err := a.Conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(a.Conn); err != nil || string(rest) != "bye" {
			t.Fatalf("%q after the half-close, %v", rest, err)
		}
		if err := a.Conn.Close(); err != nil {
			t.Error(err)
		}
		eventually(t, "the stream is gone", func() bool { return streams(p.a)+streams(p.b) == 0 })
	})
}

// TestUpgradeClosedByEither: the other one hears of it.
func TestUpgradeClosedByEither(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		ended := make(chan error, 1)
		p := newPair(t, pairOptions{transport: transport}, upgrading(t, func(c net.Conn) {
			_, err := io.Copy(io.Discard, c)
			ended <- err
			_ = c.Close()
		}))
		a := mustInvoke(t, p, upgrade())
		read := make(chan error, 1)
		go func() {
			_, err := a.Conn.Read(make([]byte, 1))
			read <- err
		}()
		_ = a.Conn.Close()
		if err := <-read; err == nil {
			t.Error("read went on after close")
		}
		<-ended

		p = newPair(t, pairOptions{transport: transport}, upgrading(t, func(c net.Conn) { _ = c.Close() }))
		a = mustInvoke(t, p, upgrade())
		if n, err := a.Conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("read %d, %v", n, err)
		}
		_ = a.Conn.Close()
	})
}

func TestUpgradeCancelled(t *testing.T) {
	ended := make(chan error, 1)
	p := newPair(t, pairOptions{}, upgrading(t, func(c net.Conn) {
		_, err := io.Copy(io.Discard, c)
		ended <- err
		_ = c.Close()
	}))
	ctx, cancel := context.WithCancel(context.Background())
	a, err := p.client.Invoke(ctx, p.peer(), upgrade())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = a.Conn.Read(make([]byte, 1))
	wantCode(t, err, invoke.CodeCancelled)
	<-ended
	_ = a.Conn.Close()
}

func TestUpgradeRefused(t *testing.T) {
	p := newPair(t, pairOptions{}, func(context.Context, *invoke.Call) (*invoke.Answer, error) { return text(426, "no"), nil })
	for range 2 {
		a := mustInvoke(t, p, upgrade())
		if body := readAll(t, a); a.Status != 426 || body != "no" || a.Conn != nil {
			t.Errorf("answer %+v %q", a, body)
		}
	}
	if n := streams(p.a); n != 1 {
		t.Errorf("%d streams", n)
	}
}

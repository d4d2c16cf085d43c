package node

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// told is interrupted.
type told chan struct{}

func (t told) Interrupt() { close(t) }

// serveClients serves with h; it returns what listens.
func serveClients(t *testing.T, h func(c *clientConn, r *http.Request)) *clientConns {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	type key struct{}
	clients := newClientConns(l.(*net.TCPListener))
	s := &http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			h(r.Context().Value(key{}).(*clientConn), r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(gateway.ConnContext(ctx, c.(*clientConn)), key{}, c)
		},
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(clients) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return clients
}

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(nodetest.Patience):
		t.Fatalf("%s: not within %v", what, nodetest.Patience)
	}
}

const someRequest = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"

func TestClientThatGoesAwayIsNoticed(t *testing.T) {
	watching, gone := make(chan struct{}), make(told)
	clients := serveClients(t, func(c *clientConn, r *http.Request) {
		c.Watch(gone)
		close(watching)
		<-gone
		if !c.Gone() || c.Unwatch(gone) {
			t.Errorf("gone %v, and could still be unwatched", c.Gone())
		}
		late := make(told)
		c.Watch(late)
		await(t, "a watch after it is gone", late)
	})
	conn, err := net.Dial("tcp", clients.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, someRequest)
	await(t, "the request", watching)
	_ = conn.Close()
	await(t, "that the client is gone", gone)
}

// A server ends its own reading when a request has been answered: that is not
// the client's going away.
func TestClientThatStaysIsNotGone(t *testing.T) {
	clients := serveClients(t, func(c *clientConn, r *http.Request) {
		never := make(told)
		c.Watch(never)
		if c.Gone() || !c.Unwatch(never) {
			t.Errorf("gone %v, and cannot be unwatched", c.Gone())
		}
	})
	conn, err := net.Dial("tcp", clients.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for range 100 {
		_, _ = io.WriteString(conn, someRequest)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// A deadline holds for the reads that come after it, and for one under way.
func TestReadDeadlineOfAClientConn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clients := newClientConns(l.(*net.TCPListener))
	defer clients.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := clients.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	c, past, b := accepted.(*clientConn), time.Unix(1, 0), make([]byte, 1)
	for _, set := range []func(time.Time) error{c.SetReadDeadline, c.SetDeadline} {
		_ = set(past)
		if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read after its deadline: %v", err)
		}
		_ = set(time.Time{})
		_, _ = client.Write(b)
		if n, err := c.Read(b); n != 1 || err != nil {
			t.Errorf("a read without deadline: %d bytes, %v", n, err)
		}
		ended := make(chan error)
		go func() { _, err := c.Read(b); ended <- err }()
		for !c.isReading() {
			time.Sleep(time.Millisecond)
		}
		_ = set(past)
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read under way: %v", err)
		}
	}
	if c.Gone() {
		t.Error("a client is gone because a deadline passed")
	}
}

func (c *clientConn) isReading() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading
}

func TestUnusedConnectionsAreClosed(t *testing.T) {
	clients := serveClients(t, func(*clientConn, *http.Request) {})
	used, err := net.Dial("tcp", clients.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	_, _ = io.WriteString(used, someRequest)
	answers := bufio.NewReader(used)
	if _, err := http.ReadResponse(answers, nil); err != nil {
		t.Fatal(err)
	}
	unused, err := net.Dial("tcp", clients.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close()
	_ = unused.SetReadDeadline(time.Now().Add(nodetest.Patience))
	for end := time.Now().Add(nodetest.Patience); clients.unusedCount() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it was never accepted")
		}
	}
	clients.closeUnused()
	if _, err := unused.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a read of the unused connection: %v, want its end", err)
	}
	_, _ = io.WriteString(used, someRequest)
	if _, err := http.ReadResponse(answers, nil); err != nil {
		t.Errorf("the used one: %v", err)
	}
}

func (l *clientConns) unusedCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unused)
}

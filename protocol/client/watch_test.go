package client_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// wire is a TCP connection to a node that can be unplugged: bytes are taken and
// lost, and no connection is closed.
type wire struct {
	addr string
	cut  chan struct{}
}

func plug(t *testing.T, n *node) *wire {
	t.Helper()
	to := multiaddr.StringCast(n.addr).Decapsulate(multiaddr.StringCast("/p2p/" + n.id.String()))
	target, err := manet.ToNetAddr(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own, err := manet.FromNetAddr(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: own.String() + "/p2p/" + n.id.String(), cut: make(chan struct{})}
	var wg sync.WaitGroup
	var open []net.Conn // of the goroutine below until it has ended
	accepted := make(chan struct{})
	go func() { // ends with the listener
		defer close(accepted)
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", target.String())
			if err != nil {
				a.Close()
				continue
			}
			open = append(open, a, b)
			wg.Go(func() { w.copy(a, b) })
			wg.Go(func() { w.copy(b, a) })
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-accepted
		n.end()
		for _, c := range open {
			c.Close()
		}
		wg.Wait()
	})
	return w
}

// copy ends when either connection is closed.
func (w *wire) copy(to, from net.Conn) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		select {
		case <-w.cut:
		default:
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
}

// A node that is unplugged without a word fails what it owes; what may run twice
// is run by another.
func TestUnpluggedNode(t *testing.T) {
	b := newBlocker()
	unplugged, other := newNode(t, functions{"f": b.run}), newNode(t, functions{"f": says("other")})
	w := plug(t, unplugged)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	both, err := client.Dial(ctx, w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	client.AddNode(both, other.addr)

	failed, answered := make(chan error, 1), make(chan string, 1)
	go func() { // ends when the connection is closed
		_, err := c.Call(ctx, "f", []byte("x"))
		failed <- err
	}()
	go func() { // the same
		a, err := both.Invoke(ctx, &client.Request{Function: "f", Body: strings.NewReader("x"), Idempotent: true})
		if err != nil {
			answered <- err.Error()
			return
		}
		defer a.Body.Close()
		got, _ := io.ReadAll(a.Body)
		answered <- string(got)
	}()
	receive(t, "start", b.started)
	receive(t, "start", b.started)
	close(w.cut)
	want(t, receive(t, "error", failed), client.ErrUnknownOutcome)
	if got := receive(t, "answer", answered); got != "other" {
		t.Errorf("%q, want the other node's answer", got)
	}
}

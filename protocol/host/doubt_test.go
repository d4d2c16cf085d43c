package host

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// A member whose older connection is dead is reached by the newer one.
func TestDeadConnectionIsClosed(t *testing.T) {
	a, b := knowing(t), knowing(t)
	relay := newCutter(t, a.Port())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := b.Connect(ctx, peer.AddrInfo{ID: a.ID(), Addrs: []multiaddr.Multiaddr{relay.addr}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "members", isMember(a, b.ID()))
	old := a.Libp2p().Network().ConnsToPeer(b.ID())[0]
	relay.cut()
	for _, c := range b.Libp2p().Network().ConnsToPeer(a.ID()) {
		_ = c.Close() // b knows, a does not
	}
	if _, err := b.Connect(ctx, infoOf(t, a)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a closes the dead connection and keeps the other", func() bool {
		return old.IsClosed() && isMember(a, b.ID())() && len(a.Libp2p().Network().ConnsToPeer(b.ID())) == 1
	})
}

// cutter passes TCP on until it is cut; then neither end hears anything more.
type cutter struct {
	addr   multiaddr.Multiaddr
	silent chan struct{}
}

func newCutter(t testing.TB, port int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{silent: make(chan struct{})}
	c.addr = multiaddr.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		near, err := l.Accept()
		if err != nil {
			return
		}
		defer near.Close()
		far, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return
		}
		defer far.Close()
		var both sync.WaitGroup
		both.Go(func() { c.pass(near, far) })
		both.Go(func() { c.pass(far, near) })
		<-t.Context().Done()
		_ = near.Close()
		_ = far.Close()
		both.Wait()
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return c
}

func (c *cutter) cut() { close(c.silent) }

func (c *cutter) pass(from, to net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-c.silent:
		default:
			_, _ = to.Write(buf[:n])
		}
	}
}

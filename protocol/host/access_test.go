package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

// fakeConn is a connection of which only its other end matters.
type fakeConn struct {
	network.Conn
	peer peer.ID
	addr string
}

func (c *fakeConn) RemotePeer() peer.ID                  { return c.peer }
func (c *fakeConn) RemoteMultiaddr() multiaddr.Multiaddr { return multiaddr.StringCast(c.addr) }

// accessOf knows one peer that has just connected.
func accessOf(t *testing.T, c *fakeConn, operators ...peer.ID) (*Access, *members) {
	t.Helper()
	f := newFeed()
	go f.run()
	t.Cleanup(f.close)
	m := newMembers(f)
	m.connected(c)
	return newAccess(m, operators), m
}

// The table of the open mesh.
func TestAccessTable(t *testing.T) {
	verbs := []Verb{VerbDiscover, VerbInvoke, VerbExecute, VerbPull, VerbRead, VerbDeploy, VerbAdmin}
	for _, c := range []struct {
		name     string
		role     hello.Role
		operator bool
		allowed  string
	}{
		{"member", hello.Member, false, "discover invoke execute pull read"},
		{"client", hello.Client, false, "invoke read"},
		{"operator member", hello.Member, true, "discover invoke execute pull read deploy admin"},
		{"operator client", hello.Client, true, "discover invoke execute pull read deploy admin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := &fakeConn{peer: "peer", addr: "/ip4/10.0.0.1/tcp/1"}
			var operators []peer.ID
			if c.operator {
				operators = append(operators, "peer")
			}
			a, m := accessOf(t, conn, operators...)
			m.greeted(conn, &hello.Hello{Role: c.role})
			var allowed []string
			for _, v := range verbs {
				err := a.Allow(t.Context(), "peer", v, "fn")
				switch {
				case err == nil:
					allowed = append(allowed, v.String())
				case !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), v.String()+" fn"):
					t.Errorf("%v: error %v does not say what was denied", v, err)
				}
			}
			if got := strings.Join(allowed, " "); got != c.allowed {
				t.Errorf("allowed: %s\n   want: %s", got, c.allowed)
			}
			if err := a.AllowInvoke(t.Context(), "peer", "fn"); err != nil {
				t.Errorf("invoke: %v", err)
			}
		})
	}
}

// Who is admitted at all depends on the address.
func TestAdmission(t *testing.T) {
	h, err := New(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.access.operators["operator"] = true
	for _, c := range []struct {
		peer peer.ID
		addr string
		mesh string
		want hello.Code
	}{
		{"p", "/ip4/127.0.0.1/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip4/192.168.1.7/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip4/10.1.2.3/udp/1/quic-v1", DefaultMesh, hello.Accepted},
		{"p", "/ip4/172.31.0.1/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip4/169.254.9.9/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip6/::1/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip6/fe80::1/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip6zone/eth0/ip6/fe80::1/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip6/fd00::1/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip6/::ffff:192.168.1.7/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip4/8.8.8.8/tcp/1", DefaultMesh, hello.Denied},
		{"p", "/ip4/172.32.0.1/tcp/1", DefaultMesh, hello.Denied},
		{"p", "/ip4/100.64.0.1/tcp/1", DefaultMesh, hello.Denied},
		{"p", "/ip4/0.0.0.0/tcp/1", DefaultMesh, hello.Denied},
		{"p", "/ip6/2001:4860:4860::8888/tcp/1", DefaultMesh, hello.Denied},
		{"p", "/ip6/::ffff:8.8.8.8/tcp/1", DefaultMesh, hello.Denied},
		{"p", "/dns4/home.local/tcp/1", DefaultMesh, hello.Denied},
		{"operator", "/ip4/8.8.8.8/tcp/1", DefaultMesh, hello.Accepted},
		{"p", "/ip4/127.0.0.1/tcp/1", "other", hello.WrongMesh},
		{"operator", "/ip4/127.0.0.1/tcp/1", "other", hello.WrongMesh},
	} {
		got := hello.Accepted
		if r := (*door)(h).Admit(&fakeConn{peer: c.peer, addr: c.addr}, &hello.Hello{Mesh: c.mesh}); r != nil {
			got = r.Code
		}
		if got != c.want {
			t.Errorf("%s at %s of mesh %s: %v, want %v", c.peer, c.addr, c.mesh, got, c.want)
		}
	}
}

func TestAllowWaitsForTheHello(t *testing.T) {
	conn := &fakeConn{peer: "peer", addr: "/ip4/10.0.0.1/tcp/1"}
	a, m := accessOf(t, conn)
	answer := make(chan error, 1)
	go func() { answer <- a.Allow(t.Context(), "peer", VerbInvoke, "") }()
	select {
	case err := <-answer:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	m.greeted(conn, &hello.Hello{})
	if err := <-answer; err != nil {
		t.Errorf("after the hello: %v", err)
	}
}

func TestAllowEnds(t *testing.T) {
	conn := &fakeConn{peer: "peer", addr: "/ip4/10.0.0.1/tcp/1"}
	a, m := accessOf(t, conn)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := a.Allow(ctx, "peer", VerbInvoke, ""); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "hello") {
		t.Errorf("no hello within the context: %v", err)
	}
	if err := a.Allow(t.Context(), "nobody", VerbInvoke, ""); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "not connected") {
		t.Errorf("a peer without connection: %v", err)
	}
	answer := make(chan error, 1)
	go func() { answer <- a.Allow(t.Context(), "peer", VerbInvoke, "") }()
	m.refused(conn, errors.New("wrong mesh"))
	if err := <-answer; !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "wrong mesh") {
		t.Errorf("a refused peer: %v", err)
	}
	m.disconnected(conn)
	if err := a.Allow(t.Context(), "peer", VerbInvoke, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("a peer that left: %v", err)
	}
}

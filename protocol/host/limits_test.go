package host

import (
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multiaddr"
)

// A peer may have all streams of an invocation pool open in both directions at
// once: 512 busy and 48 kept ones, and some of the other protocols.
func TestStreamsPerPeer(t *testing.T) {
	const id, streams = "/test/1", 600
	a, b := testConfig(t), testConfig(t)
	a.Small, b.Small = true, true
	a.Limits.Memory = 2 * streams * firstWindow
	b.Limits = a.Limits
	ha, err := New(a)
	if err != nil {
		t.Fatal(err)
	}
	defer ha.Close()
	ha.Libp2p().SetStreamHandler(id, func(s network.Stream) { _, _ = s.Write([]byte("x")) })
	if err := ha.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	hb, _ := startHost(t, b)
	if _, err := hb.Connect(t.Context(), infoOf(t, ha)); err != nil {
		t.Fatal(err)
	}
	for n := range streams {
		s, err := hb.Libp2p().NewStream(t.Context(), ha.ID(), id)
		if err != nil {
			t.Fatalf("stream %d: %v", n, err)
		}
		if _, err := s.Read(make([]byte, 1)); err != nil {
			t.Fatalf("stream %d: %v", n, err)
		}
	}
}

func TestConnectionsPerAddress(t *testing.T) {
	for _, c := range []struct {
		addrs []string
		want  int
	}{
		{[]string{"/ip4/10.0.0.1"}, 64},
		{[]string{"/ip6/fd00::1"}, 64},
		{[]string{"/ip4/10.0.0.1", "/ip4/10.0.0.2"}, 128},
		{[]string{"/ip6/fd00::1", "/ip6/fd00::2"}, 128},
		{[]string{"/ip4/127.0.0.1"}, 200},
		{[]string{"/ip6/::1"}, 200},
	} {
		m, err := Limits{}.fill(false).resourceManager(&blocked{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		opened := 0
		for i := range 200 {
			from := multiaddr.StringCast(fmt.Sprintf("%s/tcp/%d", c.addrs[i%len(c.addrs)], 1000+i))
			if _, err := m.OpenConnection(network.DirInbound, true, from); err == nil {
				opened++
			}
		}
		if opened != c.want {
			t.Errorf("%v: %d connections, want %d", c.addrs, opened, c.want)
		}
	}
}

func TestBlockedConnectionsAreCounted(t *testing.T) {
	b := &blocked{}
	m, err := Limits{Conns: 64, ConnsPerAddress: 1}.fill(false).resourceManager(b)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	from := multiaddr.StringCast("/ip4/192.0.2.1/tcp/1")
	if _, err := m.OpenConnection(network.DirInbound, true, from); err != nil {
		t.Fatal(err)
	}
	if _, err := m.OpenConnection(network.DirInbound, true, from); err == nil {
		t.Error("a second connection from the address was let in")
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d blocked connections counted, want 1", n)
	}
}

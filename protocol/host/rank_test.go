package host

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/multiformats/go-multiaddr"
	"pgregory.net/rapid"
)

func TestRank(t *testing.T) {
	in := []string{
		"/ip4/8.8.8.8/udp/1/quic-v1", "/ip6/fd00::1/udp/1/quic-v1", "/ip4/8.8.8.8/tcp/1",
		"/ip4/10.0.0.1/udp/1/quic-v1", "/ip6/fd00::1/tcp/1", "/ip4/10.0.0.1/tcp/1",
	}
	want := []string{
		"/ip4/10.0.0.1/tcp/1", "/ip6/fd00::1/tcp/1",
		"/ip4/10.0.0.1/udp/1/quic-v1", "/ip6/fd00::1/udp/1/quic-v1",
		"/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.8/udp/1/quic-v1",
	}
	var addrs []multiaddr.Multiaddr
	for _, s := range in {
		addrs = append(addrs, multiaddr.StringCast(s))
	}
	var got []string
	for _, r := range rank(addrs) {
		got = append(got, r.Addr.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	// Nothing waits for what is not there.
	for _, s := range in {
		if r := rank([]multiaddr.Multiaddr{multiaddr.StringCast(s)}); r[0].Delay != 0 {
			t.Errorf("%s alone waits %v", s, r[0].Delay)
		}
	}
}

func TestBackoff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 1<<40).Draw(rt, "tries")
		d := backoff(n)
		if d < firstBackoff/2 || d > lastBackoff*3/2 {
			rt.Fatalf("backoff after %d tries: %v", n, d)
		}
		if n > 6 && d < lastBackoff/2 {
			rt.Fatalf("backoff after %d tries: %v", n, d)
		}
		if n == 1 && d > 2*time.Second {
			rt.Fatalf("first backoff %v", d)
		}
	})
}

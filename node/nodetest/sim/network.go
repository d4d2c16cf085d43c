package sim

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// bandwidth of each node, in bits per second, to and fro.
const bandwidth = 100_000_000

// network joins the hosts.
type network struct {
	simnet.Simnet
	latency time.Duration

	mu   sync.Mutex // guards lost
	lost map[string]bool
}

// never is later than any test ends.
const never = 1000 * time.Hour

func newNetwork(latency time.Duration) *network {
	n := &network{latency: latency, lost: make(map[string]bool)}
	n.LatencyFunc = n.delay
	// It would tell of each packet to a host that has closed.
	n.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	return n
}

// delay is how long a packet takes; simnet has no other way to lose one.
func (n *network) delay(p *simnet.Packet) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lost[ipOf(p.From)] || n.lost[ipOf(p.To)] {
		return never
	}
	return n.latency
}

func (n *network) cut(i int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost[ip(i)] = true
}

// join makes c the configuration of host number i.
func (n *network) join(c *host.Config, i int, key crypto.PrivKey) {
	link := simnet.LinkSettings{BitsPerSecond: bandwidth}
	c.Key = key
	c.QUIC = []quicreuse.Option{
		quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
			return n.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}), nil
		}),
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return source(i), nil }),
	}
	c.Interfaces = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP(ip(i)), Mask: net.CIDRMask(16, 32)}}, nil
	}
}

// source is the host from whose only address all packets come.
type source int

// PreferredSourceIPForDestination implements [quicreuse.SourceIPSelector].
func (s source) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) {
	return net.ParseIP(ip(int(s))), nil
}

// ip is a private address: an open mesh admits no others.
func ip(i int) string { return fmt.Sprintf("10.0.%d.%d", i/250, i%250+1) }

func addrOf(i int) string { return "/ip4/" + ip(i) + "/udp/18081/quic-v1" }

func ipOf(a net.Addr) string {
	if u, ok := a.(*net.UDPAddr); ok {
		return u.IP.String()
	}
	return a.String()
}

var errNode = errors.New("there are at most 256 nodes")

func keyOf(i int) (crypto.PrivKey, error) {
	if i > 255 {
		return nil, errNode
	}
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = byte(i)
	return crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed))
}

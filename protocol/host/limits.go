package host

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/x/rate"
	"github.com/pbnjay/memory"
)

// Limits bound what other peers can make this host hold. Beyond one, a new
// stream or connection is refused; those that exist go on.
type Limits struct {
	// StreamsPerPeer is how many streams one peer may have open, in each
	// direction. An invocation pool holds 512 busy and 48 kept ones at most;
	// default 1024, on small machines 640.
	StreamsPerPeer int
	// Streams is the same for all peers together; default Memory / 1 MiB, what a
	// stream's first window promises, or on small machines 256 KiB.
	Streams int
	// Conns bounds connections, in both directions together; default 1024, on
	// small machines 256. The watermarks of the connection manager follow from it.
	Conns int
	// ConnsPerAddress bounds connections with one IP address, save loopback;
	// default 64. Many SDK clients may sit behind one.
	ConnsPerAddress int
	// ConnRate is how many new connections one IP address may open per second in
	// the long run, with bursts of ConnsPerAddress; default 4.
	ConnRate float64
	// Memory is what may be promised to all peers together, in bytes: windows of
	// streams, most of which stay empty. Half of it is there for windows to
	// grow. Default: ShareOf the machine's memory, or of GOMEMLIMIT if that is less.
	Memory int64
}

// DefaultLimits are those of this machine.
func DefaultLimits() Limits {
	l := Limits{StreamsPerPeer: 1024, Conns: 1024, ConnsPerAddress: 64, ConnRate: 4}
	l.Memory = ShareOf(machineMemory())
	l.Streams = int(l.Memory / openWindow)
	return l
}

// SmallLimits are for machines with less than 1 GB of memory.
func SmallLimits() Limits {
	l := DefaultLimits()
	l.StreamsPerPeer = 640
	l.Streams = int(l.Memory / firstWindow)
	l.Conns = 256
	return l
}

// ShareOf is how much of so many bytes of memory a host may promise to its peers:
// half, 64 MiB at least.
func ShareOf(memory int64) int64 { return max(memory/2, 64<<20) }

func machineMemory() int64 {
	return min(int64(memory.TotalMemory()), debug.SetMemoryLimit(-1))
}

// fill puts defaults where nothing is set.
func (l Limits) fill(small bool) Limits {
	d := DefaultLimits()
	if small {
		d = SmallLimits()
	}
	if l.Memory == 0 {
		l.Memory = d.Memory
	}
	if l.Streams == 0 {
		l.Streams = int(l.Memory / int64(firstWindowOf(small)))
	}
	if l.StreamsPerPeer == 0 {
		l.StreamsPerPeer = d.StreamsPerPeer
	}
	if l.Conns == 0 {
		l.Conns = d.Conns
	}
	if l.ConnsPerAddress == 0 {
		l.ConnsPerAddress = d.ConnsPerAddress
	}
	if l.ConnRate == 0 {
		l.ConnRate = d.ConnRate
	}
	return l
}

func (l Limits) validate() error {
	if l.Memory < 0 || l.Streams < 0 || l.StreamsPerPeer < 0 || l.Conns < 0 || l.ConnsPerAddress < 0 || l.ConnRate < 0 {
		return errors.New("limits: none may be negative; 0 means the default")
	}
	return nil
}

// watermarks are when the connection manager begins to close connections
// without tags, and how many it leaves.
func (l Limits) watermarks() (low, high int) { return l.Conns / 2, l.Conns * 3 / 4 }

// resourceManager builds libp2p's from l. Metrics and their trace are off: they
// were an eighth of the CPU of a new stream.
func (l Limits) resourceManager(b *blocked) (network.ResourceManager, error) {
	services := rcmgr.DefaultLimits
	libraryLimits(&services)
	limiter := rcmgr.NewFixedLimiter(l.partial().Build(services.AutoScale()))
	perAddress := rcmgr.ConnLimitPerSubnet{PrefixLength: 32, ConnCount: l.ConnsPerAddress}
	perAddress6 := rcmgr.ConnLimitPerSubnet{PrefixLength: 128, ConnCount: l.ConnsPerAddress}
	m, err := rcmgr.NewResourceManager(limiter, rcmgr.WithMetricsDisabled(), rcmgr.WithMetrics(b),
		rcmgr.WithLimitPerSubnet([]rcmgr.ConnLimitPerSubnet{perAddress}, []rcmgr.ConnLimitPerSubnet{perAddress6}),
		rcmgr.WithConnRateLimiters(l.rates()))
	if err != nil {
		return nil, fmt.Errorf("resource manager: %w", err)
	}
	return countingManager{m, b}, nil
}

// libraryLimits bounds the protocols that the library serves by itself, whose
// exchanges are short, as the library's own constructor does: a few streams a
// peer, 64 in all and as many again for each GB of memory.
func libraryLimits(c *rcmgr.ScalingLimitConfig) {
	all := rcmgr.BaseLimit{StreamsInbound: 64, StreamsOutbound: 64, Streams: 128, Memory: 4 << 20}
	more := rcmgr.BaseLimitIncrease{StreamsInbound: 64, StreamsOutbound: 64, Streams: 128, Memory: 4 << 20}
	for _, of := range []struct {
		service   string
		protocols []protocol.ID
		streams   int // each way, of one peer
	}{
		{identify.ServiceName, []protocol.ID{identify.ID, identify.IDPush}, 16},
		{ping.ServiceName, []protocol.ID{ping.ID}, 3},
	} {
		one := rcmgr.BaseLimit{StreamsInbound: of.streams, StreamsOutbound: of.streams, Streams: 2 * of.streams, Memory: int64(of.streams) * firstWindow}
		c.AddServiceLimit(of.service, all, more)
		c.AddServicePeerLimit(of.service, one, rcmgr.BaseLimitIncrease{})
		for _, id := range of.protocols {
			c.AddProtocolLimit(id, all, more)
			c.AddProtocolPeerLimit(id, one, rcmgr.BaseLimitIncrease{})
		}
	}
}

// partial spells the limits out in libp2p's scopes. A protocol or service may
// take all that its peer may: what a peer does with its share is its business.
func (l Limits) partial() rcmgr.PartialLimitConfig {
	all := scope(l.Streams, l.Conns, l.Memory)
	peer := scope(min(l.StreamsPerPeer, l.Streams), l.ConnsPerAddress, l.Memory)
	unproven := scope(l.Streams, max(l.Conns/4, 64), l.Memory/4)
	return rcmgr.PartialLimitConfig{
		System: all, Transient: unproven,
		AllowlistedSystem: all, AllowlistedTransient: unproven,
		ServiceDefault: all, ServicePeerDefault: peer,
		ProtocolDefault: all, ProtocolPeerDefault: peer,
		PeerDefault: peer,
		Conn:        scope(l.StreamsPerPeer, 1, l.Memory),
		Stream:      scope(1, 1, 2*streamWindow),
	}
}

func scope(streams, conns int, memory int64) rcmgr.ResourceLimits {
	return rcmgr.ResourceLimits{
		StreamsInbound: rcmgr.LimitVal(streams), StreamsOutbound: rcmgr.LimitVal(streams), Streams: rcmgr.LimitVal(2 * streams),
		ConnsInbound: rcmgr.LimitVal(conns), ConnsOutbound: rcmgr.LimitVal(conns), Conns: rcmgr.LimitVal(conns),
		FD:     rcmgr.LimitVal(conns),
		Memory: rcmgr.LimitVal64(memory),
	}
}

// rates replaces the library's 16 connections and then one per 5 s: nodes that
// restart together, or clients behind one address, go beyond that.
func (l Limits) rates() *rate.Limiter {
	one := rate.Limit{RPS: l.ConnRate, Burst: l.ConnsPerAddress}
	return &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{
			{Prefix: netip.MustParsePrefix("127.0.0.0/8")},
			{Prefix: netip.MustParsePrefix("::1/128")},
		},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: one}},
			IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 128, Limit: one}},
			GracePeriod:      time.Minute,
		},
	}
}

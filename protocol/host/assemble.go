package host

import (
	"fmt"

	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// assemble puts a libp2p host together that does not listen yet: TCP with TLS,
// else Noise, and QUIC; no relay, NAT service, hole punching or address
// discovery by others. The host owns what it is made of; on an error nothing
// stays open.
func assemble(c Config, b *blocked) (corehost.Host, error) {
	options, err := transports(c)
	if err != nil {
		return nil, err
	}
	limits, err := c.Limits.resourceManager(b)
	if err != nil {
		return nil, err
	}
	low, high := c.Limits.watermarks()
	conns, err := connmgr.NewConnManager(low, high)
	if err != nil {
		_ = limits.Close()
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	options = append(options,
		libp2p.Identity(c.Key),
		libp2p.NoListenAddrs,
		libp2p.ResourceManager(limits),
		libp2p.ConnectionManager(conns),
		libp2p.UserAgent(c.UserAgent),
		libp2p.ProtocolVersion("p2pfaas/1"),
		libp2p.SwarmOpts(swarm.WithDialRanker(rank)),
		libp2p.DisableMetrics(),
		libp2p.DisableRelay(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ForceReachabilityPrivate(), // else AutoNAT would ask peers
	)
	h, err := libp2p.New(append(options, c.Options...)...)
	if err != nil {
		_, _ = conns.Close(), limits.Close()
		return nil, fmt.Errorf("assemble libp2p host: %w", err)
	}
	return h, nil
}

// transports are TCP, with what runs on it, and QUIC.
func transports(c Config) ([]libp2p.Option, error) {
	template, err := certificate()
	if err != nil {
		return nil, err
	}
	return []libp2p.Option{
		// Without SO_REUSEPORT: with it a second node of the same user would get
		// half of the first one's connections instead of an error.
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()),
		libp2p.Transport(libp2pquic.NewTransport,
			libp2pquic.WithTLSIdentityOption(libp2ptls.WithCertTemplate(template))),
		libp2p.Security(libp2ptls.ID, newSecureTLS),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, newMuxer(c.Small, !c.NoGather)),
	}, nil
}

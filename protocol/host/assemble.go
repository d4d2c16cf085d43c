package host

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/libp2p/go-libp2p/core/event"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
)

// assemble puts a libp2p host together that does not listen yet: TCP with TLS,
// else Noise, and QUIC; no relay, NAT service, hole punching or address
// discovery by others. The host owns what it is made of; on an error nothing
// stays open.
//
// The library's own constructor would do it in one call, but links each transport
// there is, WebRTC's and WebTransport's stacks with it: 5 MB of program that a
// small machine would have to hold.
func assemble(c Config, b *blocked) (corehost.Host, error) {
	a := &assembly{cfg: c, bus: eventbus.NewBus()}
	h, err := a.host(b)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("assemble libp2p host: %w", err), a.abandon())
	}
	return h, nil
}

// assembly is a host in the making.
type assembly struct {
	cfg    Config
	bus    event.Bus
	limits network.ResourceManager
	swarm  *swarm.Swarm
	open   []io.Closer // to be closed if it comes to nothing
}

func (a *assembly) abandon() error {
	var errs []error
	for _, c := range slices.Backward(a.open) {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (a *assembly) host(b *blocked) (corehost.Host, error) {
	if err := a.limit(b); err != nil {
		return nil, err
	}
	if err := a.network(); err != nil {
		return nil, err
	}
	quic, err := a.transports()
	if err != nil {
		return nil, err
	}
	low, high := a.cfg.Limits.watermarks()
	conns, err := connmgr.NewConnManager(low, high)
	if err != nil {
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	a.open = append(a.open, conns)
	h, err := basichost.NewHost(a.swarm, &basichost.HostOpts{
		EventBus: a.bus, ConnManager: conns, EnablePing: true,
		UserAgent: a.cfg.UserAgent, ProtocolVersion: "p2pfaas/1",
	})
	if err != nil {
		return nil, err
	}
	h.Start()
	return &assembled{BasicHost: h, quic: quic}, nil
}

func (a *assembly) limit(b *blocked) (err error) {
	if a.limits, err = a.cfg.Limits.resourceManager(b); err != nil {
		return err
	}
	a.open = append(a.open, a.limits)
	return nil
}

// network makes the swarm, which holds connections, with nothing to dial by.
func (a *assembly) network() error {
	self, err := peer.IDFromPrivateKey(a.cfg.Key)
	if err != nil {
		return fmt.Errorf("derive peer ID: %w", err)
	}
	peers, err := pstoremem.NewPeerstore()
	if err != nil {
		return fmt.Errorf("peerstore: %w", err)
	}
	a.open = append(a.open, peers)
	if err := errors.Join(peers.AddPrivKey(self, a.cfg.Key), peers.AddPubKey(self, a.cfg.Key.GetPublic())); err != nil {
		return fmt.Errorf("peerstore: %w", err)
	}
	a.swarm, err = swarm.NewSwarm(self, peers, a.bus,
		swarm.WithResourceManager(a.limits),
		swarm.WithDialRanker(rank),
		// As the library's constructor has it: where nearly no dial of a kind comes
		// through, that kind is tried now and then only.
		swarm.WithUDPBlackHoleSuccessCounter(&swarm.BlackHoleSuccessCounter{N: 100, MinSuccesses: 5, Name: "UDP"}),
		swarm.WithIPv6BlackHoleSuccessCounter(&swarm.BlackHoleSuccessCounter{N: 100, MinSuccesses: 5, Name: "IPv6"}))
	if err != nil {
		return fmt.Errorf("swarm: %w", err)
	}
	a.open = append(a.open, a.swarm)
	return nil
}

// assembled closes with the host what the library leaves to its constructor.
type assembled struct {
	*basichost.BasicHost
	quic *quicreuse.ConnManager
}

func (h *assembled) Close() error { return errors.Join(h.BasicHost.Close(), h.quic.Close()) }

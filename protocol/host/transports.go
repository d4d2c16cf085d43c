package host

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/quic-go/quic-go"

	"github.com/p2pfaas/p2pfaas/protocol/mux"
)

// transports adds TCP, with what runs on it, and QUIC to the swarm.
func (a *assembly) transports() (*quicreuse.ConnManager, error) {
	up, err := a.upgrader()
	if err != nil {
		return nil, err
	}
	// Without SO_REUSEPORT: with it a second node of the same user would get
	// half of the first one's connections instead of an error.
	overTCP, err := tcp.NewTCPTransport(up, a.limits, nil, tcp.DisableReuseport())
	if err != nil {
		return nil, fmt.Errorf("TCP: %w", err)
	}
	if err := a.swarm.AddTransport(overTCP); err != nil {
		return nil, fmt.Errorf("TCP: %w", err)
	}
	conns, err := a.quicConns()
	if err != nil {
		return nil, fmt.Errorf("QUIC: %w", err)
	}
	a.open = append(a.open, conns)
	template, err := certificate()
	if err != nil {
		return nil, err
	}
	overQUIC, err := libp2pquic.NewTransport(a.cfg.Key, conns, nil, nil, a.limits,
		libp2pquic.WithTLSIdentityOption(libp2ptls.WithCertTemplate(template)))
	if err != nil {
		return nil, fmt.Errorf("QUIC: %w", err)
	}
	return conns, a.swarm.AddTransport(overQUIC)
}

// upgrader makes connections of libp2p out of those of TCP.
func (a *assembly) upgrader() (transport.Upgrader, error) {
	muxers := []upgrader.StreamMuxer{{ID: mux.ID, Muxer: newMuxer(a.cfg.Small, !a.cfg.NoGather)}}
	first, err := newSecureTLS(libp2ptls.ID, a.cfg.Key, muxers)
	if err != nil {
		return nil, err
	}
	second, err := noise.New(noise.ID, a.cfg.Key, muxers)
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	return upgrader.New([]sec.SecureTransport{first, second}, muxers, nil, a.limits, nil)
}

// quicConns are the UDP sockets, with the two keys that the library derives from
// a host's: so those who still hold connections to an earlier life of it are told.
func (a *assembly) quicConns() (*quicreuse.ConnManager, error) {
	var reset quic.StatelessResetKey
	var token quic.TokenGeneratorKey
	for use, key := range map[string][]byte{"libp2p quic stateless reset key": reset[:], "libp2p quic token generator key": token[:]} {
		if err := a.derive(key, use); err != nil {
			return nil, err
		}
	}
	options := append([]quicreuse.Option{
		quicreuse.ConnContext(a.admit),
		quicreuse.VerifySourceAddress(a.limits.VerifySourceAddress),
	}, a.cfg.QUIC...)
	return quicreuse.NewConnManager(reset, token, options...)
}

func (a *assembly) derive(key []byte, use string) error {
	secret, err := a.cfg.Key.Raw()
	if err != nil {
		return fmt.Errorf("derive key: %w", err)
	}
	derived, err := hkdf.Key(sha256.New, secret, nil, use, len(key))
	copy(key, derived)
	return err
}

// admit asks the resource manager for each QUIC connection that begins.
func (a *assembly) admit(ctx context.Context, client *quic.ClientInfo) (context.Context, error) {
	from, err := quicreuse.ToQuicMultiaddr(client.RemoteAddr, quic.Version1)
	if err != nil {
		from = nil // the resource manager says what becomes of it
	}
	scope, err := a.limits.OpenConnection(network.DirInbound, false, from)
	if err != nil {
		return ctx, err
	}
	context.AfterFunc(ctx, scope.Done)
	return network.WithConnManagementScope(ctx, scope), nil
}

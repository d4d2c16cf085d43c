package host

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/p2pfaas/p2pfaas/protocol/mux"
)

// alpnWithoutMuxer is what a peer offers that does not negotiate the muxer
// within the handshake.
const alpnWithoutMuxer = "libp2p"

// certificate is a template whose dates hold on every clock. libp2p's own
// certificate begins an hour before it was made and is checked with the other
// side's clock: a machine without a battery-backed clock, a day behind, could
// meet nobody. What proves an identity is the signature inside the certificate;
// its dates protect nothing, as each connection's key is fresh.
func certificate() (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{SerialNumber: serial.String()},
		NotBefore:    time.Unix(0, 0).UTC(),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280: no expiry
	}, nil
}

// secureTLS is libp2p's TLS transport (/tls/1.0.0, specification libp2p/specs
// tls/tls.md) with that certificate: the library's own takes no template.
type secureTLS struct {
	id       protocol.ID
	local    peer.ID
	identity *libp2ptls.Identity
	alpn     []string // the muxers we know, best first
}

var _ sec.SecureTransport = (*secureTLS)(nil)

func newSecureTLS(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*secureTLS, error) {
	local, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("derive peer ID: %w", err)
	}
	template, err := certificate()
	if err != nil {
		return nil, err
	}
	identity, err := libp2ptls.NewIdentity(key, libp2ptls.WithCertTemplate(template))
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	t := &secureTLS{id: id, local: local, identity: identity}
	for _, m := range muxers {
		t.alpn = append(t.alpn, string(m.ID))
	}
	return t, nil
}

func (t *secureTLS) ID() protocol.ID { return t.id }

// SecureInbound is the server's side; an empty p accepts any peer.
func (t *secureTLS) SecureInbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	config, key := t.identity.ConfigForPeer(p)
	config.NextProtos = append(slices.Clone(t.alpn), config.NextProtos...)
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		// The dialler's order of muxers counts, not ours.
		for _, offered := range hello.SupportedProtos {
			if slices.Contains(t.alpn, offered) {
				config.NextProtos = []string{offered}
				break
			}
		}
		return config, nil
	}
	return t.handshake(ctx, tls.Server(mux.NewSocket(insecure), config), key)
}

// SecureOutbound is the client's side. In TLS 1.3 it may succeed although the
// server rejects our certificate; the first read tells.
func (t *secureTLS) SecureOutbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	config, key := t.identity.ConfigForPeer(p)
	config.NextProtos = append(slices.Clone(t.alpn), config.NextProtos...)
	return t.handshake(ctx, tls.Client(mux.NewSocket(insecure), config), key)
}

func (t *secureTLS) handshake(ctx context.Context, conn *tls.Conn, key <-chan crypto.PubKey) (sec.SecureConn, error) {
	sc, err := t.identify(ctx, conn, key)
	if err != nil {
		_ = conn.NetConn().Close()
		return nil, err
	}
	return sc, nil
}

func (t *secureTLS) identify(ctx context.Context, conn *tls.Conn, key <-chan crypto.PubKey) (sec.SecureConn, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	var remoteKey crypto.PubKey
	select {
	case remoteKey = <-key: // filled by the verification, which has run
	default:
	}
	if remoteKey == nil {
		return nil, errors.New("TLS handshake ended without the peer's key")
	}
	remote, err := peer.IDFromPublicKey(remoteKey)
	if err != nil {
		return nil, fmt.Errorf("derive peer ID: %w", err)
	}
	muxer := conn.ConnectionState().NegotiatedProtocol
	if muxer == alpnWithoutMuxer {
		muxer = ""
	}
	return &tlsConn{Conn: conn, local: t.local, remote: remote, key: remoteKey, muxer: protocol.ID(muxer)}, nil
}

// tlsConn adds to a TLS connection who is at its ends.
type tlsConn struct {
	*tls.Conn
	local, remote peer.ID
	key           crypto.PubKey
	muxer         protocol.ID
}

func (c *tlsConn) LocalPeer() peer.ID             { return c.local }
func (c *tlsConn) RemotePeer() peer.ID            { return c.remote }
func (c *tlsConn) RemotePublicKey() crypto.PubKey { return c.key }
func (c *tlsConn) ConnState() network.ConnectionState {
	return network.ConnectionState{StreamMultiplexer: c.muxer, UsedEarlyMuxerNegotiation: c.muxer != ""}
}

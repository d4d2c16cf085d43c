package host

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/multiformats/go-multiaddr"
)

func newKey(t testing.TB) crypto.PrivKey {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificateOf is what an identity shows in a handshake.
func certificateOf(t testing.TB, options ...libp2ptls.IdentityOption) *x509.Certificate {
	t.Helper()
	id, err := libp2ptls.NewIdentity(newKey(t), options...)
	if err != nil {
		t.Fatal(err)
	}
	config, _ := id.ConfigForPeer("")
	cert, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// verifyAt is libp2p's check of a certificate, on a clock that shows at.
func verifyAt(cert *x509.Certificate, at time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	c := *cert
	c.UnhandledCriticalExtensions = nil
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at})
	return err
}

func TestCertificateHoldsOnEveryClock(t *testing.T) {
	template, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	ours, stock := certificateOf(t, libp2ptls.WithCertTemplate(template)), certificateOf(t)
	for _, at := range []time.Time{
		time.Unix(1, 0), // a machine that has just started without a clock
		time.Now().AddDate(0, 0, -1), time.Now().AddDate(-1, 0, 0), time.Now(),
		time.Now().AddDate(1, 0, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if err := verifyAt(ours, at); err != nil {
			t.Errorf("on a clock at %v: %v", at, err)
		}
	}
	// The reason for all this; without it the test would prove nothing.
	if err := verifyAt(stock, time.Now().AddDate(0, 0, -1)); err == nil {
		t.Error("libp2p's own certificate holds a day back: ours has become superfluous")
	}
}

func newTestTLS(t testing.TB) *secureTLS {
	t.Helper()
	s, err := newSecureTLS(libp2ptls.ID, newKey(t), []upgrader.StreamMuxer{{ID: yamux.ID}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A handshake between certificates made today, on a clock that shows the year 2000.
func TestHandshakeOnAWrongClock(t *testing.T) {
	server, client := newTestTLS(t), newTestTLS(t)
	stock, err := libp2ptls.New(libp2ptls.ID, newKey(t), []upgrader.StreamMuxer{{ID: yamux.ID}})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if now := time.Now(); now.Year() != 2000 {
			t.Fatalf("the clock of the bubble shows %v", now)
		}
		if err := handshake(t, server, client); err != nil {
			t.Errorf("26 years back: %v", err)
		}
		if err := handshake(t, server, stock); err == nil {
			t.Error("libp2p's own certificate was accepted 26 years early")
		}
	})
}

// handshake returns the server's verdict.
func handshake(t *testing.T, server *secureTLS, client sec.SecureTransport) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := client.SecureOutbound(t.Context(), b, server.local); err == nil {
			defer c.Close()
			_, _ = b.Read(make([]byte, 1)) // until the server has decided
		}
	}()
	c, err := server.SecureInbound(t.Context(), a, "")
	_ = a.Close()
	if c != nil && c.RemotePeer() == "" {
		t.Error("no peer ID")
	}
	<-done
	return err
}

func TestHandshakeRefusesAnotherPeer(t *testing.T) {
	server, client := newTestTLS(t), newTestTLS(t)
	a, b := net.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := client.SecureOutbound(t.Context(), b, client.local)
		done <- err
	}()
	_, _ = server.SecureInbound(t.Context(), a, "")
	if err := <-done; err == nil {
		t.Error("a server with another identity was accepted")
	}
}

// A stock libp2p host and ours talk, each as the dialler, over each transport.
func TestStockPeers(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		ours, err := assemble(testConfig(t).withDefaults(), &blocked{})
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Close()
		if err := ours.Network().Listen(loopback(transport)...); err != nil {
			t.Fatal(err)
		}
		stock, err := libp2p.New(libp2p.ListenAddrs(loopback(transport)...), libp2p.DisableMetrics(), libp2p.DisableRelay())
		if err != nil {
			t.Fatal(err)
		}
		defer stock.Close()
		t.Run(transport+" out", func(t *testing.T) { meet(t, ours, stock) })
		t.Run(transport+" in", func(t *testing.T) { meet(t, stock, ours) })
	}
}

func meet(t *testing.T, from, to corehost.Host) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := from.Connect(ctx, peer.AddrInfo{ID: to.ID(), Addrs: to.Network().ListenAddresses()}); err != nil {
		t.Fatal(err)
	}
	c := from.Network().ConnsToPeer(to.ID())[0]
	if r := <-ping.Ping(ctx, from, to.ID()); r.Error != nil {
		t.Fatal(r.Error)
	}
	if _, err := c.RemoteMultiaddr().ValueForProtocol(multiaddr.P_TCP); err == nil {
		want := network.ConnectionState{Security: libp2ptls.ID, StreamMultiplexer: yamux.ID, Transport: "tcp", UsedEarlyMuxerNegotiation: true}
		if got := c.ConnState(); got != want {
			t.Errorf("connection state %+v, want %+v", got, want)
		}
	}
	if err := from.Network().ClosePeer(to.ID()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "closed", func() bool { return len(to.Network().ConnsToPeer(from.ID())) == 0 })
}

// Peers that negotiate the muxer after the handshake are served as well.
func TestHandshakeWithoutMuxer(t *testing.T) {
	server := newTestTLS(t)
	identity, err := libp2ptls.NewIdentity(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	config, _ := identity.ConfigForPeer(server.local)
	config.NextProtos = []string{alpnWithoutMuxer}
	a, b := net.Pipe()
	defer b.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Client(b, config).HandshakeContext(t.Context()) }()
	c, err := server.SecureInbound(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := c.ConnState(); s.StreamMultiplexer != "" || s.UsedEarlyMuxerNegotiation {
		t.Errorf("connection state %+v", s)
	}
	_ = a.Close()
}

package mux

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
)

// limit bounds what ought to take milliseconds.
const limit = 30 * time.Second

// ours is our multiplexer over a Socket, as below TLS.
type ours struct{ m *Multiplexer }

func (o ours) NewConn(c net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	return o.m.NewConn(NewSocket(c), server, scope)
}

// twoSided has one multiplexer at each end.
type twoSided struct{ client, server network.Multiplexer }

func (m twoSided) NewConn(c net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	if server {
		return m.server.NewConn(c, server, scope)
	}
	return m.client.NewConn(c, server, scope)
}

// pairings are those that have us on at least one side.
func pairings() map[string]network.Multiplexer {
	cfg := Config{FirstWindow: 512 << 10, MaxWindow: 4 << 20}
	direct, plain, library := ours{New(cfg)}, New(cfg), yamux.DefaultTransport
	return map[string]network.Multiplexer{
		"direct-direct":  direct,
		"plain-plain":    plain,
		"direct-library": twoSided{direct, library},
		"library-plain":  twoSided{library, plain},
	}
}

// tcpPair is a connection over loopback.
func tcpPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// tlsPair is TLS over wrap of each end of such a connection.
func tlsPair(t testing.TB, wrap func(net.Conn) net.Conn) (client, server net.Conn) {
	t.Helper()
	a, b := tcpPair(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := tls.Server(wrap(b), &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}})
	c := tls.Client(wrap(a), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the peer is this test
	shaken := make(chan error, 1)
	go func() { shaken <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return c, s
}

// narrow is a Socket that is full soon.
func narrow(c net.Conn) net.Conn {
	_ = c.(*net.TCPConn).SetWriteBuffer(16 << 10)
	return NewSocket(c)
}

// sessions is a session over TLS over wrap of a connection.
func sessions(t testing.TB, m network.Multiplexer, wrap func(net.Conn) net.Conn) (client, server network.MuxedConn) {
	t.Helper()
	a, b := tlsPair(t, wrap)
	client, err := m.NewConn(a, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err = m.NewConn(b, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// streams is one of its streams.
func streams(t testing.TB, client, server network.MuxedConn) (a, b network.MuxedStream) {
	t.Helper()
	a, err := client.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err = server.AcceptStream(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// echo answers every stream of c with what it sends, until c ends.
func echo(c network.MuxedConn) {
	for {
		s, err := c.AcceptStream()
		if err != nil {
			return
		}
		go func() {
			defer s.Close()
			_, _ = io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{s}, make([]byte, 4096))
		}()
	}
}

// eventually polls.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s within %v", what, limit)
		}
	}
}

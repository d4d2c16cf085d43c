package invoke_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handlerFunc is a Handler.
type handlerFunc func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error)

func (f handlerFunc) ServeInvoke(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
	return f(ctx, c)
}

// pair is a client and a server on two hosts that are connected.
type pair struct {
	client *invoke.Client
	server *invoke.Server
	a, b   host.Host // of the client, of the server
}

func (p *pair) peer() peer.ID { return p.b.ID() }

var transports = []string{"tcp", "quic"}

// overBoth runs f over TCP and over QUIC.
func overBoth(t *testing.T, f func(t *testing.T, transport string)) {
	t.Helper()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) { f(t, transport) })
	}
}

type pairOptions struct {
	transport string
	client    invoke.Config
	server    invoke.Config
	gate      invoke.Gate
}

func newPair(t testing.TB, o pairOptions, h handlerFunc) *pair {
	t.Helper()
	p := &pair{a: newHost(t, o.transport), b: newHost(t, o.transport)}
	p.server = invoke.NewServer(p.b, h, o.gate, o.server)
	p.server.Start()
	p.client = invoke.NewClient(p.a, o.client)
	t.Cleanup(func() {
		_ = p.client.Close()
		_ = p.server.Close()
		_ = p.a.Close()
		_ = p.b.Close()
	})
	connect(t, p.a, p.b)
	return p
}

func newHost(t testing.TB, transport string) host.Host {
	t.Helper()
	opts := []libp2p.Option{
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableMetrics(), libp2p.DisableRelay(), libp2p.Security(tls.ID, tls.New),
	}
	if transport == "quic" {
		opts = append(opts, libp2p.Transport(quic.NewTransport), libp2p.ListenAddrStrings("/ip4/127.0.0.1/udp/0/quic-v1"))
	} else {
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	}
	h, err := libp2p.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func connect(t testing.TB, a, b host.Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := a.Connect(ctx, peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

// within is a context for a test that ought to end sooner.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func post(body string) *invoke.Request {
	return &invoke.Request{
		CallID: "c1", Function: "echo", Method: "POST", Host: "example.org",
		Size: int64(len(body)), Body: strings.NewReader(body),
	}
}

// text is an answer of known size.
func text(status int, body string) *invoke.Answer {
	return &invoke.Answer{Status: status, Size: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

// echo answers with the request's body, of the same size or in chunks.
func echo(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
	if !c.Start() {
		return nil, errors.New("taken back")
	}
	a := &invoke.Answer{Status: 200, Header: invoke.Header(c.Header), Size: c.Size, Body: io.NopCloser(c.Body)}
	if c.Size < 0 {
		a.Trailer = c.Trailer
	}
	return a, nil
}

func readAll(t testing.TB, a *invoke.Answer) string {
	t.Helper()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	if err := a.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustInvoke(t testing.TB, p *pair, r *invoke.Request) *invoke.Answer {
	t.Helper()
	a, err := p.client.Invoke(within(t), p.peer(), r)
	if err != nil {
		t.Fatalf("invoke: %v", err)
	}
	return a
}

// wantCode fails unless err is an *invoke.Error of that code.
func wantCode(t testing.TB, err error, code invoke.Code) *invoke.Error {
	t.Helper()
	var e *invoke.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v, want one of code %v", err, code)
	}
	return e
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

// streams counts the invoke streams of h.
func streams(h host.Host) int {
	n := 0
	for _, c := range h.Network().Conns() {
		for _, s := range c.GetStreams() {
			if s.Protocol() == invoke.ID {
				n++
			}
		}
	}
	return n
}

func pattern(n int) []byte { return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n] }

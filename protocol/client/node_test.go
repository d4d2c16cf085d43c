package client_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds each wait of the tests, on a busy machine too.
const patience = 30 * time.Second

// functions is a node's invoke.Handler: by name, each started as it is called.
type functions map[string]func(context.Context, *invoke.Call) (*invoke.Answer, error)

func (f functions) ServeInvoke(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
	fn, ok := f[c.Function]
	if !ok {
		return nil, &invoke.Error{Code: invoke.CodeNoFunction, Text: "no function " + c.Function + " here"}
	}
	return fn(ctx, c)
}

// node is a real host that serves protocol/invoke on loopback.
type node struct {
	addr string
	id   peer.ID
	host *host.Host
	end  func() error // idempotent
}

type gate struct{ *host.Access }

func (g gate) Allow(ctx context.Context, p peer.ID, function string) error {
	return g.AllowInvoke(ctx, p, function)
}

func startNode(h invoke.Handler) (*node, error) {
	return startNodeWith(host.Config{
		Mesh:   host.DefaultMesh,
		Listen: []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/127.0.0.1/tcp/0")},
	}, h)
}

func startNodeWith(cfg host.Config, h invoke.Handler) (*node, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	cfg.Key = key
	below, err := host.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := below.Start(context.Background()); err != nil {
		return nil, err
	}
	s := invoke.NewServer(below.Libp2p(), h, gate{below.Access()}, invoke.Config{})
	s.Start()
	end := sync.OnceValue(func() error { return errors.Join(s.Close(), below.Close()) })
	addrs := below.Addrs()
	if len(addrs) == 0 {
		return nil, errors.Join(errors.New("the node listens nowhere"), end())
	}
	return &node{addr: addrs[0].String(), id: below.Libp2p().ID(), host: below, end: end}, nil
}

func newNode(t *testing.T, f functions) *node {
	t.Helper()
	n, err := startNode(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.end(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func dial(t *testing.T, d client.Dialer, nodes ...*node) *client.Client {
	t.Helper()
	var addrs []string
	for _, n := range nodes {
		addrs = append(addrs, n.addr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := d.Dial(ctx, addrs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func text(s string) *invoke.Answer {
	return &invoke.Answer{Status: 200, Size: int64(len(s)), Body: io.NopCloser(strings.NewReader(s))}
}

// answers with a fixed text, after it has read its body.
func says(s string) func(context.Context, *invoke.Call) (*invoke.Answer, error) {
	return func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		if c.Body != nil {
			if _, err := io.Copy(io.Discard, c.Body); err != nil {
				return nil, err
			}
		}
		return text(s), nil
	}
}

func fails(e invoke.Error) func(context.Context, *invoke.Call) (*invoke.Answer, error) {
	return func(context.Context, *invoke.Call) (*invoke.Answer, error) { return nil, &e }
}

// echo sends the body back as it comes.
func echo(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
	c.Start()
	if c.Body == nil {
		return text(""), nil
	}
	return &invoke.Answer{Status: 200, Size: c.Size, Body: io.NopCloser(c.Body)}, nil
}

// blocker runs until its caller goes away, and says so.
type blocker struct {
	started chan invoke.Request
	ended   chan error // the cause
}

func newBlocker() *blocker {
	return &blocker{started: make(chan invoke.Request, 8), ended: make(chan error, 8)} // more than any test makes
}

func (b *blocker) run(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
	c.Start()
	b.started <- c.Request
	<-ctx.Done()
	b.ended <- context.Cause(ctx)
	return nil, context.Cause(ctx)
}

func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for: %s", what)
		panic("unreachable")
	}
}

// want fails t unless err is each of the kinds.
func want(t *testing.T, err error, kinds ...error) *client.Error {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Fatalf("error %v, want %v", err, kind)
		}
	}
	var e *client.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T) has no *client.Error", err, err)
	}
	return e
}

func readAll(t *testing.T, a *client.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(fmt.Errorf("after %d bytes: %w", len(got), err))
	}
	return string(got)
}

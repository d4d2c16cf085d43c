package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Dial is [Dial] with the Dialer's settings.
func (d Dialer) Dial(ctx context.Context, addrs ...string) (*Client, error) {
	infos, err := host.ParseAddrInfos(addrs)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if len(infos) == 0 {
		return nil, errors.New("dial: no address given; Discover finds nodes of the local network")
	}
	cfg := host.Config{Mesh: d.Mesh, Bootstrap: infos} // the host never gives these up
	c, h, err := d.start(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	for _, info := range infos {
		c.nodes.add(info.ID)
	}
	if err := firstOf(ctx, h, cmp.Or(d.Mesh, host.DefaultMesh), infos); err != nil {
		return nil, errors.Join(fmt.Errorf("dial: %w: %w", ErrNotReached, err), c.Close())
	}
	return c, nil
}

// Discover is [Discover] with the Dialer's settings, but for Mesh.
func (d Dialer) Discover(ctx context.Context, mesh string) (*Client, error) {
	mesh = cmp.Or(mesh, host.DefaultMesh)
	c, h, err := d.start(ctx, host.Config{Mesh: mesh, MDNS: true})
	if err != nil {
		return nil, fmt.Errorf("discover mesh %s: %w", mesh, err)
	}
	found := make(chan struct{}, 1) // holds one: something was found
	h.Subscribe(func(e host.Event) {
		if e.Joined && e.Member.Role == hello.Member {
			c.nodes.add(e.Peer)
			select {
			case found <- struct{}{}:
			default:
			}
		}
	})
	select {
	case <-found:
		return c, nil
	case <-ctx.Done():
		err := fmt.Errorf("discover mesh %s: %w: none found by mDNS: %w; Dial takes addresses", mesh, ErrNotReached, ctx.Err())
		return nil, errors.Join(err, c.Close())
	}
}

// start makes a client and the host below it.
func (d Dialer) start(ctx context.Context, cfg host.Config) (*Client, *host.Host, error) {
	cfg.Client, cfg.UserAgent = true, "p2pfaas-client"
	if cfg.Key = d.Identity; cfg.Key == nil {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("make identity: %w", err)
		}
		cfg.Key = key
	}
	cfg.Mesh = cmp.Or(cfg.Mesh, host.DefaultMesh)
	h, err := host.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	if err := h.Start(ctx); err != nil {
		return nil, nil, errors.Join(err, h.Close())
	}
	lib := h.Libp2p()
	c := &Client{ids: newIDs(), host: lib, calls: invoke.NewClient(lib, invoke.Config{}), retry: d.Retry, below: h.Close}
	return c, h, nil
}

// firstOf returns when the first of the nodes has let us in, or with the errors
// of all. Its goroutines end before it returns.
func firstOf(ctx context.Context, h *host.Host, mesh string, infos []peer.AddrInfo) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, len(infos)) // one for each goroutine: none waits
	for _, info := range infos {
		go func() { ended <- admitted(ctx, h, mesh, info) }()
	}
	defer cancel()
	var failures []error
	for range infos {
		if err := <-ended; err != nil {
			failures = append(failures, err)
		} else {
			cancel() // the others need not go on
		}
	}
	if len(failures) < len(infos) {
		return nil
	}
	return oneLine(failures)
}

// flat is an error whose text is a single line; libp2p's dial errors have many.
type flat struct{ error }

func (f flat) Error() string { return strings.Join(strings.Fields(f.error.Error()), " ") }
func (f flat) Unwrap() error { return f.error }

// oneLine joins errors into one whose text is a single line.
func oneLine(all []error) error {
	err := all[0]
	for _, more := range all[1:] {
		err = fmt.Errorf("%w; %w", err, more)
	}
	return err
}

// admitted connects to a node and waits for its hello.
func admitted(ctx context.Context, h *host.Host, mesh string, info peer.AddrInfo) error {
	if err := h.Libp2p().Connect(ctx, info); err != nil {
		return fmt.Errorf("node %s: %w", info.ID, flat{err})
	}
	if err := h.Access().Allow(ctx, info.ID, host.VerbInvoke, ""); err != nil {
		return fmt.Errorf("node %s does not let this client into mesh %q: %w", info.ID, mesh, err)
	}
	return nil
}

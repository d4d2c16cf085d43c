package client

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/crypto"
	corehost "github.com/libp2p/go-libp2p/core/host"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Client invokes functions of one mesh. It is safe for concurrent use.
type Client struct {
	host   corehost.Host
	calls  *invoke.Client
	nodes  nodes
	names  names
	ids    ids
	retry  Retry
	closed atomic.Bool
	below  func() error // closes what the client was built on
}

// Dialer holds what is seldom needed to make a [Client]. Its zero value does
// what [Dial] and [Discover] do.
type Dialer struct {
	// Identity is the client's key, see host.LoadIdentity. Nil: a new one, good
	// for meshes that admit everybody.
	Identity crypto.PrivKey
	// Mesh is the mesh's name for Dial, "default" if empty.
	Mesh string
	// Retry says when an invocation is sent once more.
	Retry Retry
}

// Dial returns a client of the nodes at addrs, multiaddrs that end with the
// node's peer ID: /ip4/192.168.1.20/tcp/18081/p2p/12D3Koo…. Several addresses may
// be of one node. It returns when one of the nodes has let it in, and goes on
// dialling the others. If none does, the error wraps ErrNotReached.
func Dial(ctx context.Context, addrs ...string) (*Client, error) {
	return Dialer{}.Dial(ctx, addrs...)
}

// Discover returns a client of the nodes of a mesh that mDNS finds on the local
// network. It returns when it has found one, and goes on finding others. When
// ctx ends before, the error wraps ErrNotReached.
func Discover(ctx context.Context, mesh string) (*Client, error) {
	return Dialer{}.Discover(ctx, mesh)
}

// Close ends all invocations under way and every connection, and waits. It may
// be called more than once.
func (c *Client) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return errors.Join(c.calls.Close(), c.below())
}

package node

import (
	"context"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// ServeInvoke takes the invocations that come from peers and SDK clients.
func (d *dispatcher) ServeInvoke(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
	if n := len(c.Hops); n > 0 && c.Hops[n-1] != c.From {
		return nil, &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf("the last of the hops is %s, not the sender", c.Hops[n-1])}
	}
	if c.CallID == "" {
		c.CallID = newCallID()
	}
	inv := d.newInvocation(&c.Request, c)
	if allThere(c.Body, c.Size) {
		if err := inv.body.prefetch(c.Size); err != nil {
			inv.body.close()
			return nil, err // the caller has gone away
		}
	}
	return d.dispatch(ctx, inv)
}

// allThere tells whether all of a small body is there already. A function that gets
// all of it at once is called with one write, and no goroutine for the upload.
func allThere(body io.Reader, size int64) bool {
	b, ok := body.(interface{ Buffered() int })
	return ok && 0 < size && size <= gateway.SmallBody && int64(b.Buffered()) >= size
}

// gate lets members and SDK clients in, each by their own verb.
type gate struct{ access *host.Access }

func (g gate) Allow(ctx context.Context, p peer.ID, function string) error {
	return g.access.AllowInvoke(ctx, p, function)
}

// hello is what this node says of itself on each connection.
func (n *Node) hello() hello.Hello {
	r := n.mesh.Report()
	return hello.Hello{Version: n.cfg.Version, Incarnation: n.incarnation, Zone: n.cfg.Zone, Report: &r}
}

package path

import (
	"context"
	"fmt"
	"net/http"

	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// sdk calls through the mesh with the product's own client library.
type sdk struct {
	mesh     *client.Client
	function string
}

// SDK returns a client of the mesh that a node belongs to, entered at addr, a
// multiaddr with the node's peer ID.
func SDK(ctx context.Context, mesh, addr, function string) (Client, error) {
	c, err := client.Dialer{Mesh: mesh}.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &sdk{mesh: c, function: function}, nil
}

func (c *sdk) Call(ctx context.Context, x *Exchange) error {
	resp, err := c.mesh.Invoke(ctx, &client.Request{Function: c.function, Body: x.Reader()})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.Status != http.StatusOK {
		return fmt.Errorf("status %d", resp.Status)
	}
	return x.CompareAll(resp.Body)
}

func (c *sdk) Close() error { return c.mesh.Close() }

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// dialLimit bounds the wait for a connection where there is no deadline.
const dialLimit = 10 * time.Second

// invokeOverLibp2p invokes as a client of the mesh, through the node at a
// multiaddr with /p2p/ID.
func invokeOverLibp2p(ctx context.Context, peer, mesh string, c *invocation) (*answer, error) {
	ctx, cancel := withDeadline(ctx, c.deadline)
	sdk, err := dial(ctx, peer, mesh)
	if err != nil {
		cancel()
		return nil, err
	}
	end := func() {
		cancel()
		sdk.Close()
	}
	res, err := sdk.Invoke(ctx, &client.Request{
		Function: c.function.String(),
		Method:   c.method, Path: c.path, Query: c.query, Header: c.header,
		Body: c.body, Size: c.size,
		Deadline: c.deadline,
	})
	if err != nil {
		end()
		return nil, err
	}
	return &answer{
		proto: "libp2p", status: res.Status, header: res.Header,
		body: &closer{ReadCloser: res.Body, then: end},
	}, nil
}

func dial(ctx context.Context, peer, mesh string) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	sdk, err := client.Dialer{Mesh: mesh}.Dial(ctx, peer)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("no node of mesh %q answers at %s: \"p2pfaas-node id\" on its machine prints where it does", mesh, peer)
	}
	return sdk, err
}

//go:build mdns

// This test multicasts on the local network: go test -tags mdns ./protocol/client

package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/host"
)

func TestDiscover(t *testing.T) {
	mesh := "test-" + strings.ToLower(t.Name())
	n, err := startNodeWith(host.Config{Mesh: mesh, MDNS: true, Port: -1}, functions{"f": says("found")})
	if err != nil {
		t.Fatal(err)
	}
	defer n.end()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Discover(ctx, mesh)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.Call(ctx, "f", nil); string(got) != "found" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestDiscoverNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := client.Discover(ctx, "test-nobody")
	if !errors.Is(err, client.ErrNotReached) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want ErrNotReached", err)
	}
}

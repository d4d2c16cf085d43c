//go:build linux

package nodetest

import (
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

// Network is a [lan.Network] of a test.
type Network struct {
	*lan.Network
	t testing.TB
}

// NewNetwork makes a network without machines, which is gone when the test ends.
// It needs [NetNS] and [TUN]: see [Need].
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	n, err := lan.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close network: %v", err)
		}
	})
	return &Network{Network: n, t: t}
}

// Machine adds a machine. A [Process] runs there if its Spec says In.
func (n *Network) Machine() *lan.Machine {
	n.t.Helper()
	m, err := n.Network.Machine()
	if err != nil {
		n.t.Fatal(err)
	}
	return m
}

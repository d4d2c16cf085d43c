//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

// addressOf is where p is reached by TCP on a machine's address.
func addressOf(t *testing.T, m *lan.Machine, p *nodetest.Process) string {
	t.Helper()
	i := slices.IndexFunc(p.Addrs, func(s string) bool { return strings.Contains(s, m.IP()+"/tcp") })
	if i < 0 {
		t.Fatalf("no TCP address of %s among %v", m.IP(), p.Addrs)
	}
	return p.Addrs[i]
}

// echoes waits until a call on that machine is answered.
func echoes(t *testing.T, m *lan.Machine) {
	t.Helper()
	nodetest.Eventually(t, "curl to machine "+m.Name, func() error {
		return expectEcho(m.Command("curl", "-sS", "-f", "-m", "5", "-d", "hello", "http://127.0.0.1:18080/function/echo"))
	})
}

// B and C know only A, and find each other through it.
func TestOneCommonPeerIsEnough(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN, nodetest.Curl)
	net := nodetest.NewNetwork(t)
	a := lanNode(t, program, net.Machine(), nil, "--mdns=false")
	know := addressOf(t, net.Machines()[0], a)
	b := lanNode(t, program, net.Machine(), nil, "--mdns=false", "--bootstrap", know)
	c := lanNode(t, program, net.Machine(), nil, "--mdns=false", "--bootstrap", know)
	began := time.Now()
	sees(t, b, c)
	sees(t, c, b)
	t.Logf("B and C saw each other after %v", time.Since(began))
	a.Kill()
	deployIn(t, net.Machines()[2], c)
	echoes(t, net.Machines()[1])
}

// reachedNotAt waits until a is connected to b, and not by this address.
func reachedNotAt(t *testing.T, a, b *nodetest.Process, ip string) {
	t.Helper()
	nodetest.Eventually(t, "there is a connection, and none to the old address", func() error {
		var peers []struct {
			ID        string   `json:"peer"`
			Addresses []string `json:"addresses"`
		}
		if err := a.Get("/system/peers", &peers); err != nil {
			return err
		}
		for _, p := range peers {
			if p.ID == b.Peer && len(p.Addresses) > 0 && !slices.ContainsFunc(p.Addresses, func(s string) bool { return strings.Contains(s, "/"+ip+"/") }) {
				return nil
			}
		}
		return fmt.Errorf("it lists %+v", peers)
	})
}

func TestMachineChangesItsAddress(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN, nodetest.Curl)
	// IPv4 alone: a link-local address of IPv6 would stay.
	for _, transport := range []string{"/ip4/0.0.0.0/tcp/18081", "/ip4/0.0.0.0/udp/18081/quic-v1"} {
		flags := []string{"--listen", transport}
		t.Run(strings.ReplaceAll(transport, "/", "_"), func(t *testing.T) {
			net := nodetest.NewNetwork(t)
			a, b := lanNode(t, program, net.Machine(), nil, flags...), lanNode(t, program, net.Machine(), nil, flags...)
			one, two := net.Machines()[0], net.Machines()[1]
			sees(t, a, b)
			sees(t, b, a)
			deployIn(t, two, b)
			echoes(t, one)
			was, began := two.IP(), time.Now()
			if err := two.ChangeIP(); err != nil {
				t.Fatal(err)
			}
			echoes(t, one)
			t.Logf("called again after %v", time.Since(began))
			if strings.Contains(transport, "/tcp/") { // one of QUIC may have moved along
				reachedNotAt(t, a, b, was)
			}
			sees(t, b, a)
			t.Logf("found again after %v", time.Since(began))
			// Who comes later finds it where it is now.
			c := lanNode(t, program, net.Machine(), nil, flags...)
			sees(t, c, b)
			reachedNotAt(t, c, b, was)
			for _, p := range []*nodetest.Process{a, b, c} {
				if strings.Contains(p.Log(), "identity") {
					t.Errorf("a moved machine was taken for a copied one:\n%s", p.Log())
				}
			}
		})
	}
}

// What is deployed on one node can be called through another within a moment.
func TestDeployedFunctionIsCallableAtOnce(t *testing.T) {
	a, b := pair(t, "tcp")
	var took []time.Duration
	for i := range 5 {
		name := fmt.Sprint("fresh", i)
		tool(t, b, "deploy", name, "--image", "builtin:echo")
		began := time.Now()
		nodetest.Eventually(t, name+" answers through the other node", func() error {
			resp, err := http.Get(url(a, name))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("status %d", resp.StatusCode)
			}
			return nil
		})
		took = append(took, time.Since(began))
	}
	t.Logf("callable through the other node after (from the end of each deployment): %v", took)
}

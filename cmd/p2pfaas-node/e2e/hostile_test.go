package e2e

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// protocols are all that a node serves for others.
var protocols = []protocol.ID{hello.ID, invoke.ID, load.ID, control.ID}

// rubbish is what nobody should send, by what is wrong with it.
func rubbish() map[string][]byte {
	length := func(n uint64) []byte { return binary.AppendUvarint(nil, n) }
	return map[string][]byte{
		"a header of 10 MB":        append(length(10*mib), make([]byte, 10*mib)...),
		"a length of 2^63":         append(length(1<<63), "short"...),
		"a length without end":     []byte(strings.Repeat("\xff", 64)),
		"no protobuf":              append(length(8), "\xff\xff\xff\xff\xff\xff\xff\xff"...),
		"an empty frame":           {0},
		"HTTP":                     []byte("POST /function/echo HTTP/1.1\r\nHost: x\r\n\r\n"),
		"nothing, and half closed": {},
	}
}

// stranger is a libp2p host of nobody's make, connected to the node.
func stranger(t *testing.T, to *nodetest.Process) (corehost.Host, peer.ID) {
	t.Helper()
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	info, err := host.ParseAddrInfo(to.Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Connect(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	return h, info.ID
}

// throw sends bytes on a new stream, half closes it, and waits for its end.
func throw(ctx context.Context, h corehost.Host, p peer.ID, id protocol.ID, b []byte) error {
	s, err := h.NewStream(ctx, p, id)
	if err != nil {
		return nil // the node has had enough of us
	}
	defer s.Reset()
	_ = s.SetDeadline(time.Now().Add(nodetest.Patience))
	_, _ = s.Write(b) // it may end the stream before it has read all
	_ = s.CloseWrite()
	if _, err := io.Copy(io.Discard, s); err != nil && strings.Contains(err.Error(), "deadline") {
		return fmt.Errorf("the node neither answered nor ended the stream within %v", nodetest.Patience)
	}
	return nil
}

func TestRubbishKillsNothing(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	t.Run("throw", func(t *testing.T) {
		for _, id := range protocols {
			for what, bytes := range rubbish() {
				t.Run(fmt.Sprintf("%s/%s", strings.ReplaceAll(string(id), "/", "_"), what), func(t *testing.T) {
					t.Parallel() // a node waits some seconds for a hello
					h, p := stranger(t, b)
					if err := throw(t.Context(), h, p, id, bytes); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
	works(t, a, b)
}

// A client that has said hello rightly, and then sends rubbish, again and again.
func TestRubbishOfAMemberIsLoggedOnce(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	key, err := host.LoadIdentity(t.TempDir() + "/identity")
	if err != nil {
		t.Fatal(err)
	}
	cfg := host.Default()
	cfg.Key, cfg.Mesh, cfg.Client, cfg.MDNS, cfg.DHT = key, "e2e", true, false, false
	h, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := host.ParseAddrInfo(b.Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Connect(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		for _, bytes := range rubbish() {
			if err := throw(t.Context(), h.Libp2p(), info.ID, invoke.ID, bytes); err != nil {
				t.Fatal(err)
			}
		}
	}
	lines := 0
	for line := range strings.Lines(b.Log()) {
		if strings.Contains(line, h.ID().String()) && !strings.Contains(line, "joined") && !strings.Contains(line, "left") {
			lines++
			t.Log(strings.TrimSpace(line))
		}
	}
	if lines > 1 {
		t.Errorf("%d log lines about one peer, want at most one", lines)
	}
	works(t, a, b)
}

// works checks that both nodes live and do what they are for.
func works(t *testing.T, nodes ...*nodetest.Process) {
	t.Helper()
	for _, p := range nodes {
		if err := echo(p, 100_000); err != nil {
			t.Errorf("node %s afterwards: %v", p.Peer, err)
		}
	}
	sdk, err := client.Dialer{Mesh: "e2e"}.Dial(t.Context(), nodes[0].Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer sdk.Close()
	if got, err := sdk.Call(t.Context(), "echo", []byte("still there")); err != nil || string(got) != "still there" {
		t.Errorf("by the SDK afterwards: %q, %v", got, err)
	}
}

// A peer of another mesh is told so, and gets nothing.
func TestStrangersGetNothing(t *testing.T) {
	b := node(t, "tcp", nil)
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{b})
	before := count(t, b, "echo").Started
	if _, err := (client.Dialer{Mesh: "another"}).Dial(t.Context(), b.Addrs[0]); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("dial from another mesh: %v; want an error that names it", err)
	}
	h, p := stranger(t, b) // says no hello at all
	ctx, cancel := context.WithTimeout(t.Context(), nodetest.Patience)
	defer cancel()
	c := invoke.NewClient(h, invoke.Config{})
	defer c.Close()
	_, err := c.Invoke(network.WithNoDial(ctx, "test"), p, &invoke.Request{CallID: "x", Function: "echo", Method: "POST"})
	if err == nil || !invoke.NotStarted(err) {
		t.Errorf("invocation without a hello: %v; want it denied", err)
	}
	if ran := count(t, b, "echo").Started - before; ran != 0 {
		t.Errorf("the function ran %d times", ran)
	}
}

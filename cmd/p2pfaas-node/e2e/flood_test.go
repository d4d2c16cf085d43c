package e2e

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// liar is a member that speaks pubsub by hand.
type liar struct {
	*host.Host
	key crypto.PrivKey
	seq uint64
}

func newLiar(t *testing.T, to *nodetest.Process) (*liar, peer.ID) {
	t.Helper()
	key, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := host.Default()
	cfg.Key, cfg.Mesh, cfg.MDNS, cfg.DHT, cfg.Port = key, "e2e", false, false, -1
	cfg.Hello = func() hello.Hello { return hello.Hello{Version: "liar", Incarnation: 1} }
	h, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.Libp2p().SetStreamHandler("/meshsub/1.1.0", func(s network.Stream) { _ = s.CloseRead() })
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := host.ParseAddrInfo(to.Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Connect(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	return &liar{Host: h, key: key}, info.ID
}

// message is one on the load topic that claims to be of from.
func (l *liar) message(t *testing.T, from peer.ID, data []byte) *pubsubpb.Message {
	t.Helper()
	l.seq++
	m := &pubsubpb.Message{
		From: []byte(from), Data: data, Topic: proto.String("/p2pfaas/e2e/load/1/0"),
		Seqno: binary.BigEndian.AppendUint64(nil, l.seq),
	}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if m.Signature, err = l.key.Sign(append([]byte("libp2p-pubsub:"), b...)); err != nil {
		t.Fatal(err)
	}
	return m
}

// lies are what a hostile member may put on the topic, one after the other.
func (l *liar) lie(t *testing.T, i int, victim peer.ID) *pubsubpb.Message {
	report := func(r load.Report) []byte { return load.AppendReport(nil, &r) }
	switch i % 4 {
	case 0:
		return l.message(t, l.ID(), []byte(fmt.Sprintf("garbage %d", i)))
	case 1:
		return l.message(t, l.ID(), make([]byte, 5000+i%100))
	case 2:
		return l.message(t, l.ID(), report(load.Report{Incarnation: 1, Counter: 1, Running: i, Speed: 1}))
	}
	return l.message(t, victim, report(load.Report{Incarnation: 1 << 40, Counter: uint64(i), Speed: 1, Draining: true}))
}

// A member floods the load topic with garbage, oversized, old and forged reports.
func TestFloodOfLiesChangesNothing(t *testing.T) {
	const perSecond, seconds = 1000, 4
	a, b := pair(t, "tcp", "--gossip", "500ms")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	l, victimOf := newLiar(t, a)
	victim, err := peer.Decode(b.Peer)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	sent, cut := 0, 0
	for time.Since(began) < seconds*time.Second {
		var rpc pubsubpb.RPC
		for range perSecond / 100 {
			rpc.Publish = append(rpc.Publish, l.lie(t, sent, victim))
			sent++
		}
		if !l.say(t, victimOf, &rpc) {
			cut++
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d lies in %v; %d times the node had had enough", sent, time.Since(began).Round(time.Millisecond), cut)
	for _, p := range []*nodetest.Process{a, b} {
		lines := 0
		for line := range strings.Lines(p.Log()) {
			if strings.Contains(line, l.ID().String()) && strings.Contains(line, `"p2pfaas/load"`) {
				lines++
				t.Log(strings.TrimSpace(line))
			}
		}
		if lines > 1 {
			t.Errorf("%d log lines about its lies, want at most one", lines)
		}
	}
	lists(t, "A has fresh news of B, which does not drain", a, func(p listed) bool {
		return p.ID == b.Peer && !p.Draining && p.Candidate && p.Age < 2
	})
	works(t, a, b)
}

// say sends one RPC on a stream of its own, and tells whether it was taken.
func (l *liar) say(t *testing.T, to peer.ID, rpc *pubsubpb.RPC) bool {
	s, err := l.Libp2p().NewStream(network.WithNoDial(t.Context(), "test"), to, "/meshsub/1.1.0")
	if err != nil {
		return false
	}
	defer s.Close()
	b, err := proto.Marshal(rpc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Write(append(binary.AppendUvarint(nil, uint64(len(b))), b...))
	return err == nil
}

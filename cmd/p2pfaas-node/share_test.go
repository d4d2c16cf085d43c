package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/share"
	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

// sharingNode is a policy and its host on the learning topic.
type sharingNode struct {
	corehost.Host
	counter atomic.Uint64
	lie     func() []byte // nil: it is honest
	mu      sync.Mutex    // guards what follows
	policy  sched.Sharer
	heard   map[peer.ID]error
}

// taughtUntil is when the lessons of a newSharingNode are over.
const taughtUntil = schedtest.Now + 150*time.Second

// newSharingNode has seen so many outcomes: the peer a is always late.
func newSharingNode(t *testing.T, policy string, outcomes int) *sharingNode {
	t.Helper()
	p, err := rl.Policies().New(policy, map[string]string{"share": "true", "warm-up": "0", "holdout": "0"})
	if err != nil {
		t.Fatal(err)
	}
	n := &sharingNode{policy: p.(sched.Sharer), heard: make(map[peer.ID]error)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range outcomes {
		now := taughtUntil - time.Duration(outcomes-i)*50*time.Millisecond
		d, r := n.decide(rng, now)
		p.(sched.Observer).Observe(sched.Outcome{Request: *r, Decision: d, OnTime: d.Action != sched.Refuse && d.Peer != "a" && rng.Float64() < 0.9})
	}
	return n
}

// decide has the node, which is busy, decide among a dozen peers of various loads.
func (n *sharingNode) decide(rng *rand.Rand, now time.Duration) (sched.Decision, *sched.Request) {
	const service = 60 * time.Millisecond
	var peers []sched.Neighbour
	for i := range 12 {
		p := schedtest.Neighbour(string(rune('a'+i)), 4*time.Millisecond, 1, rng.IntN(4), service)
		p.Sampled = now - time.Duration(rng.IntN(300))*time.Millisecond
		peers = append(peers, p)
	}
	v, r := schedtest.View(1, schedtest.Self(1, 2+rng.IntN(5), service), peers...), schedtest.Request()
	v.Rand, v.Now, r.Deadline = rng, now, 200*time.Millisecond
	return n.policy.Decide(v, r), r
}

// sent counts to whom 2000 invocations go, of which nothing is learned.
func (n *sharingNode) sent() map[peer.ID]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	to, rng := make(map[peer.ID]int), rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		d, _ := n.decide(rng, taughtUntil)
		to[d.Peer]++
	}
	return to
}

func (n *sharingNode) join(t *testing.T) {
	t.Helper()
	var err error
	if n.Host, err = libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Host.Close() })
	topic, err := share.NewTopic(n.Host, share.Config{Mesh: "test", Incarnation: 1, Counter: &n.counter, Period: 300 * time.Millisecond,
		Own: n.own, Hear: n.hear, Member: func(peer.ID) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = topic.Close() })
	if err := topic.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (n *sharingNode) own() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lie != nil {
		return n.lie()
	}
	return n.policy.Share(taughtUntil)
}

func (n *sharingNode) hear(from peer.ID, said []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard[from] = n.policy.Absorb(from, said, taughtUntil)
}

func (n *sharingNode) absorbed() (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, err := range n.heard {
		if err == nil {
			count++
		}
	}
	return count
}

// extremes is what a liar says: that the slow peer is the best there is, all others
// never answer, and that it knows so from more outcomes than there ever were.
func extremes(t *testing.T, truth []byte) []byte {
	t.Helper()
	var s struct {
		Version   int              `json:"version"`
		Features  string           `json:"features"`
		Functions []map[string]any `json:"functions"`
	}
	if err := json.Unmarshal(truth, &s); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Functions {
		for _, w := range f["weights"].([]any) {
			w.([]any)[1], w.([]any)[2] = -20, 1e300
		}
		if peers, ok := f["peers"].(map[string]any); ok {
			for id := range peers {
				peers[id] = [2]float64{-20, 1e300}
			}
			peers["YQ"] = [2]float64{20, 1e300} // a
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSharingAmongNodesOfWhichOneLies: a newcomer learns from three honest nodes whom
// to avoid before it has seen an outcome, and they go on as if there were no liar.
func TestSharingAmongNodesOfWhichOneLies(t *testing.T) {
	for _, policy := range []string{"bandit", "calibrated", "residual"} {
		t.Run(policy, func(t *testing.T) {
			var nodes []*sharingNode
			for i := range 3 {
				nodes = append(nodes, newSharingNode(t, policy, 2400+100*i))
			}
			newcomer, liar := newSharingNode(t, policy, 0), newSharingNode(t, policy, 2400)
			lie := extremes(t, liar.policy.Share(taughtUntil))
			liar.lie = func() []byte { return lie }
			nodes = append(nodes, newcomer, liar)
			for i, n := range nodes {
				n.join(t)
				for _, o := range nodes[:i] {
					if err := n.Connect(context.Background(), peer.AddrInfo{ID: o.ID(), Addrs: o.Addrs()}); err != nil {
						t.Fatal(err)
					}
				}
			}
			waitFor(t, "all hear the three that know something, and the liar", func() bool {
				return newcomer.absorbed() == 4 && nodes[0].absorbed() == 3 && nodes[1].absorbed() == 3 && nodes[2].absorbed() == 3
			})
			alone := newSharingNode(t, policy, 0).sent()["a"]
			if got := newcomer.sent()["a"]; alone < 50 || got > alone/2 {
				t.Errorf("the newcomer sends %d of 2000 to the slow peer, alone %d", got, alone)
			}
			for i, n := range nodes[:3] {
				before := newSharingNode(t, policy, 2400+100*i).sent()
				after := n.sent()
				if after["a"] > before["a"]+20 || after["b"] < before["b"]/2 {
					t.Errorf("node %d sends to a and b %d and %d, without the liar %d and %d", i, after["a"], after["b"], before["a"], before["b"])
				}
			}
			t.Logf("%s: of 2000, the newcomer sends to the slow peer %d, alone %d", policy, newcomer.sent()["a"], alone)
		})
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

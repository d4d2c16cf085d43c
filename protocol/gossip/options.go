package gossip

import (
	"crypto/sha256"
	"log/slog"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

func (c *Config) options() []pubsub.Option {
	score, thresholds := scoring(c.Name)
	return []pubsub.Option{
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(c.MaxRPC),
		pubsub.WithSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(c.Name)),
		pubsub.WithPeerFilter(func(p peer.ID, _ string) bool { return c.Member(p) }),
		pubsub.WithAppSpecificRpcInspector(c.inspect),
		// It would log each RPC that is none, as often as somebody sends one.
		pubsub.WithRPCLogger(slog.New(slog.DiscardHandler)),
		pubsub.WithPeerScore(score, thresholds),
	}
}

// scoring makes peers pay for invalid messages and broken protocol only. The
// delivery counters (P3, P3b) would punish nodes for having little to say, and
// many nodes behind one address are normal at an edge (P6).
func scoring(name string) (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	topic := &pubsub.TopicScoreParams{
		TopicWeight:                    1,
		TimeInMeshQuantum:              time.Second,
		InvalidMessageDeliveriesWeight: -10, // times the counter's square
		InvalidMessageDeliveriesDecay:  0.99,
	}
	params := &pubsub.PeerScoreParams{
		Topics:                    map[string]*pubsub.TopicScoreParams{name: topic},
		AppSpecificScore:          func(peer.ID) float64 { return 0 },
		IPColocationFactorWeight:  0,
		BehaviourPenaltyWeight:    -1,
		BehaviourPenaltyThreshold: 6,
		BehaviourPenaltyDecay:     0.98,
		DecayInterval:             time.Second,
		DecayToZero:               0.01,
		RetainScore:               10 * time.Minute,
	}
	return params, &pubsub.PeerScoreThresholds{GossipThreshold: -100, PublishThreshold: -200, GraylistThreshold: -400}
}

// messageID tells messages apart by signer and content. The default goes by a
// sequence number that starts at the wall clock, which on a machine without a
// clock may be the same at every start.
func messageID(m *pb.Message) string {
	h := sha256.New()
	h.Write(m.GetFrom())
	h.Write(m.GetData())
	var sum [sha256.Size]byte
	return string(h.Sum(sum[:0])[:16])
}

// inspect takes from a stranger's RPC all but its subscriptions. Those must be
// kept: pubsub says them once, on connecting, which may be before the hello. A
// GRAFT is dropped rather than refused, as a refusal would keep the peer away
// for a minute.
func (c *Config) inspect(from peer.ID, rpc *pubsub.RPC) error {
	if c.Member(from) {
		return nil
	}
	rpc.Publish = nil
	if rpc.Control != nil {
		rpc.Control = &pb.ControlMessage{Extensions: rpc.Control.Extensions}
	}
	return nil
}

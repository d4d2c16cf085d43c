package load

import (
	"crypto/sha256"
	"log/slog"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// maxRPC bounds one RPC of pubsub, in bytes: room for several reports and
// their control messages.
const maxRPC = 64 << 10

// options says how GossipSub runs the topic.
func (t *Topic) options() []pubsub.Option {
	score, thresholds := t.scoring()
	return []pubsub.Option{
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(maxRPC),
		pubsub.WithSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(t.name)),
		pubsub.WithPeerFilter(func(p peer.ID, _ string) bool { return t.cfg.Member(p) }),
		pubsub.WithAppSpecificRpcInspector(t.inspect),
		pubsub.WithGossipSubParams(params(t.cfg.Degree)),
		pubsub.WithRawTracer(newTracer(&t.counts.rejected)),
		// It would log each RPC that is none, as often as somebody sends one.
		pubsub.WithRPCLogger(slog.New(slog.DiscardHandler)),
		pubsub.WithPeerScore(score, thresholds),
	}
}

// params makes a thinner mesh than GossipSub's default: a report is superseded
// within seconds, so a lost one costs less than a third copy of each.
func params(degree int) pubsub.GossipSubParams {
	p := pubsub.DefaultGossipSubParams()
	p.D, p.Dlo, p.Dhi, p.Dscore = degree, degree-1, 2*degree, degree-1
	p.Dout = degree/2 - 1 // of our own choosing; pubsub wants it below D/2
	p.Dlazy = 3
	p.GossipFactor = 0 // Dlazy peers hear of what they miss, not a quarter of all
	// A report that is asked for after it was announced is late already.
	p.HistoryLength, p.HistoryGossip = 3, 2
	return p
}

// scoring makes peers pay for invalid messages and broken protocol only. The
// delivery counters (P3, P3b) would punish nodes for having little to say, and
// many nodes behind one address are normal at an edge (P6).
func (t *Topic) scoring() (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	topic := &pubsub.TopicScoreParams{
		TopicWeight:                    1,
		TimeInMeshQuantum:              time.Second,
		InvalidMessageDeliveriesWeight: -10, // times the counter's square
		InvalidMessageDeliveriesDecay:  0.99,
	}
	params := &pubsub.PeerScoreParams{
		Topics:                    map[string]*pubsub.TopicScoreParams{t.name: topic},
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
func (t *Topic) inspect(from peer.ID, rpc *pubsub.RPC) error {
	if t.cfg.Member(from) {
		return nil
	}
	rpc.Publish = nil
	if rpc.Control != nil {
		rpc.Control = &pb.ControlMessage{Extensions: rpc.Control.Extensions}
	}
	return nil
}

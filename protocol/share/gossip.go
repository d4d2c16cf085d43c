package share

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// maxRPC bounds one RPC of pubsub, in bytes: a statement, its signature, and
// control messages.
const maxRPC = 2 * MaxStatement

// options says how GossipSub runs the topic.
func (t *Topic) options() []pubsub.Option {
	score, thresholds := t.scoring()
	return []pubsub.Option{
		pubsub.WithGossipSubProtocols([]protocol.ID{Protocol}, features),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(maxRPC),
		pubsub.WithSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(t.name)),
		pubsub.WithPeerFilter(func(p peer.ID, _ string) bool { return t.cfg.Member(p) }),
		pubsub.WithAppSpecificRpcInspector(t.inspect),
		// It would log each RPC that is none, as often as somebody sends one.
		pubsub.WithRPCLogger(slog.New(slog.DiscardHandler)),
		pubsub.WithPeerScore(score, thresholds),
	}
}

// features are those of GossipSub 1.2 but for the exchange of peers, which the mesh
// sees to.
func features(f pubsub.GossipSubFeature, _ protocol.ID) bool {
	return f == pubsub.GossipSubFeatureMesh || f == pubsub.GossipSubFeatureIdontwant
}

// scoring makes peers pay for invalid messages and broken protocol only, as on the
// load topic.
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
		BehaviourPenaltyWeight:    -1,
		BehaviourPenaltyThreshold: 6,
		BehaviourPenaltyDecay:     0.98,
		DecayInterval:             time.Second,
		DecayToZero:               0.01,
		RetainScore:               10 * time.Minute,
	}
	return params, &pubsub.PeerScoreThresholds{GossipThreshold: -100, PublishThreshold: -200, GraylistThreshold: -400}
}

// messageID tells messages apart by signer and content: the default goes by a
// sequence number that starts at the wall clock.
func messageID(m *pb.Message) string {
	h := sha256.New()
	h.Write(m.GetFrom())
	h.Write(m.GetData())
	var sum [sha256.Size]byte
	return string(h.Sum(sum[:0])[:16])
}

// inspect takes from a stranger's RPC all but its subscriptions, which are said once
// only, on connecting: that may be before the hello.
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

// validate is the topic's validator; pubsub has checked the signature before.
func (t *Topic) validate(_ context.Context, via peer.ID, msg *pubsub.Message) pubsub.ValidationResult {
	if via == t.host.ID() {
		return pubsub.ValidationAccept
	}
	e, err := parse(msg.GetData())
	if err != nil {
		t.refused.Add(1)
		return pubsub.ValidationReject
	}
	if !t.signers.accept(msg.GetFrom(), e, time.Now()) {
		t.refused.Add(1)
		return pubsub.ValidationIgnore
	}
	msg.ValidatorData = e
	return pubsub.ValidationAccept
}

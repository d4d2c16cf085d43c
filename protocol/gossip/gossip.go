// Package gossip runs one topic of GossipSub among the members of a mesh: what is
// the same for all that nodes tell everybody, whatever it says.
//
//	topic, err := gossip.Join(ctx, host, gossip.Config{Name: name, Member: book.Member, Validate: …, MaxRPC: 64 << 10})
//	go gossip.Hear(ctx, topic, func(from peer.ID, r *Report) { … })
//	err = topic.Publish(ctx, data)
//	topic.Leave() // once ctx has ended
//
// Messages are signed, told apart by signer and content, and neither heard of
// strangers nor sent to them.
package gossip

import (
	"context"
	"math/rand/v2"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Config says what a Topic is. Name, Member, Validate and MaxRPC are required.
type Config struct {
	Name string
	// Member tells whether p takes part. It is asked often and from several
	// goroutines.
	Member func(p peer.ID) bool
	// Validate judges what came, once its signature has been checked. For [Hear] it
	// leaves what it read in the message's ValidatorData.
	Validate pubsub.ValidatorEx
	// MaxRPC bounds one RPC of pubsub, in bytes.
	MaxRPC int
	// Protocol is that of streams of the topic's own: two instances of GossipSub on
	// one host would take each other's. Empty means GossipSub's.
	Protocol protocol.ID
	// More are further options.
	More []pubsub.Option
}

// Topic is a joined topic.
type Topic struct {
	*pubsub.Topic
	sub       *pubsub.Subscription
	host      host.Host
	protocols []protocol.ID
}

// Join joins until ctx ends.
func Join(ctx context.Context, h host.Host, cfg Config) (*Topic, error) {
	t := &Topic{host: h, protocols: pubsub.GossipSubDefaultProtocols}
	options := cfg.options()
	if cfg.Protocol != "" {
		t.protocols = []protocol.ID{cfg.Protocol}
		options = append(options, pubsub.WithGossipSubProtocols(t.protocols, features))
	}
	ps, err := pubsub.NewGossipSub(ctx, h, append(options, cfg.More...)...)
	if err != nil {
		return nil, err
	}
	if err = ps.RegisterTopicValidator(cfg.Name, cfg.Validate, pubsub.WithValidatorInline(true)); err != nil {
		return nil, err
	}
	if t.Topic, err = ps.Join(cfg.Name); err != nil {
		return nil, err
	}
	t.sub, err = t.Subscribe()
	return t, err
}

// features are those of GossipSub 1.2 but for the exchange of peers, which the mesh
// sees to.
func features(f pubsub.GossipSubFeature, _ protocol.ID) bool {
	return f == pubsub.GossipSubFeatureMesh || f == pubsub.GossipSubFeatureIdontwant
}

// Hear tells what others say, until ctx ends. Our own messages are not validated, and
// so not told.
func Hear[T any](ctx context.Context, t *Topic, tell func(from peer.ID, said *T)) {
	defer t.sub.Cancel()
	for {
		msg, err := t.sub.Next(ctx)
		if err != nil {
			return
		}
		if said, ok := msg.ValidatorData.(*T); ok {
			tell(msg.GetFrom(), said)
		}
	}
}

// Leave has the host answer no more streams of the topic.
func (t *Topic) Leave() {
	for _, id := range t.protocols {
		t.host.RemoveStreamHandler(id)
	}
}

// Jitter spreads d by a tenth each way, so that nodes started together do not speak
// together for ever.
func Jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

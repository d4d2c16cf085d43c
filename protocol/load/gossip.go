package load

import (
	pubsub "github.com/libp2p/go-libp2p-pubsub"

	"github.com/p2pfaas/p2pfaas/protocol/gossip"
)

// maxRPC bounds one RPC of pubsub, in bytes: room for several reports and
// their control messages.
const maxRPC = 64 << 10

// gossip says how GossipSub runs the topic.
func (t *Topic) gossip() gossip.Config {
	return gossip.Config{
		Name: t.name, Member: t.cfg.Member, Validate: t.validate, MaxRPC: maxRPC,
		More: []pubsub.Option{
			pubsub.WithGossipSubParams(params(t.cfg.Degree)),
			pubsub.WithRawTracer(newTracer(&t.counts.rejected)),
		},
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

package share

import (
	"context"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

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

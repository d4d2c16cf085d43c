package load

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
	r, err := decodeReport(msg.GetData())
	if err != nil {
		return pubsub.ValidationReject
	}
	msg.ValidatorData = r
	gap := min(rateGap, t.cfg.Period()/rateGapsInPeriod)
	if !t.signers.accept(msg.GetFrom(), r, time.Now(), gap) {
		t.counts.ignored.Add(1)
		return pubsub.ValidationIgnore
	}
	t.counts.heard.Add(1)
	return pubsub.ValidationAccept
}

// decodeReport reads a report as it is published. One without an incarnation
// or a counter cannot be ordered and is no report.
func decodeReport(b []byte) (*Report, error) {
	if len(b) > MaxMessage {
		return nil, ErrTooLarge
	}
	r := new(Report)
	if err := ParseReport(b, r); err != nil {
		return nil, err
	}
	if r.Incarnation == 0 || r.Counter == 0 {
		return nil, ErrMalformed
	}
	return r, nil
}

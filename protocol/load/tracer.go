package load

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// tracer logs, once for each peer, that it sends what is rejected. All else
// that pubsub reports is of no interest.
type tracer struct {
	mu   sync.Mutex // guards told
	told *simplelru.LRU[peer.ID, struct{}]

	rejected *atomic.Uint64
}

func newTracer(rejected *atomic.Uint64) *tracer {
	told, err := simplelru.NewLRU[peer.ID, struct{}](maxSigners, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &tracer{told: told, rejected: rejected}
}

// RejectMessage is called for all that is not passed on, for whatever reason.
func (t *tracer) RejectMessage(msg *pubsub.Message, reason string) {
	switch reason {
	case pubsub.RejectInvalidSignature, pubsub.RejectMissingSignature,
		pubsub.RejectSelfOrigin, pubsub.RejectValidationFailed:
	default:
		return
	}
	t.rejected.Add(1)
	if t.first(msg.ReceivedFrom) {
		log.Warnw("peer sends invalid load reports; further ones are not logged", "peer", msg.ReceivedFrom, "reason", reason)
	}
}

func (t *tracer) first(p peer.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told.Contains(p) {
		return false
	}
	t.told.Add(p, struct{}{})
	return true
}

func (*tracer) OnNewOutboundStream(peer.ID, protocol.ID)             {}
func (*tracer) OnClosedOutboundStream(peer.ID)                       {}
func (*tracer) Join(string)                                          {}
func (*tracer) Leave(string)                                         {}
func (*tracer) Graft(peer.ID, string)                                {}
func (*tracer) Prune(peer.ID, string)                                {}
func (*tracer) ValidateMessage(*pubsub.Message)                      {}
func (*tracer) DeliverMessage(*pubsub.Message)                       {}
func (*tracer) DuplicateMessage(*pubsub.Message)                     {}
func (*tracer) ThrottlePeer(peer.ID)                                 {}
func (*tracer) RecvRPC(*pubsub.RPC)                                  {}
func (*tracer) SendRPC(*pubsub.RPC, peer.ID)                         {}
func (*tracer) SendRPCCompleted(*pubsub.RPC, peer.ID, time.Duration) {}
func (*tracer) DropRPC(*pubsub.RPC, peer.ID)                         {}
func (*tracer) UndeliverableMessage(*pubsub.Message)                 {}

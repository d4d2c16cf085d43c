package invoke

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Call is an invocation that arrived.
type Call struct {
	Request
	From     peer.ID
	Received time.Time
}

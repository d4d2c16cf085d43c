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

	in *inbound // nil in a Call that a test made
}

// Start is called by the handler right before it runs or forwards the work. It
// returns false if the invocation has been taken back or cancelled meanwhile:
// then give up. From then on it cannot be taken back, and progress says that
// it has started; a client that waits with the rest of a large body hears so
// at once.
//
// A handler that reads beyond FirstWindow, or answers, has started too.
func (c *Call) Start() bool { return c.in == nil || c.in.advance(started) }

// Hold is called before the work is handed to another node. It returns false
// as Start does. From then on the invocation cannot be taken back, but
// progress says that it is queued until Start.
func (c *Call) Hold() bool { return c.in == nil || c.in.advance(held) }

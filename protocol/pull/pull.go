// Package pull carries questions for work: a node with free servers asks
// another, over /p2pfaas/pull/1.0.0, whether something waits there. The asked
// node passes the ask on, says no, or says yes and sends the invocation as any
// other, over /p2pfaas/invoke; so what is handed over needs no rules of its own.
//
// Every message carries its sender's load and what it knows of others: that a
// node asks tells that it is idle. Whom to ask and what to hand over is decided
// elsewhere.
package pull

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

// ID is the protocol's ID.
const ID protocol.ID = "/p2pfaas/pull/1.0.0"

const (
	// MaxMessage bounds a message, in bytes.
	MaxMessage = 4 << 10
	// MaxPasses bounds how often an ask may be passed on, and MaxAsked the list of
	// those that have.
	MaxPasses = 4
	MaxAsked  = 8
	// IdleTime is how long a kept stream may lie unused.
	IdleTime = 60 * time.Second
	// handleTime is how long a Handler may take, the asks that it passes on included.
	handleTime = streams.AskTime
)

// ErrMalformed: bytes are no message of this protocol.
var ErrMalformed = errors.New("malformed pull message")

// Ask is a question for work; see pullpb.Ask.
type Ask struct {
	// From is whose servers are free; the sender's if it is empty.
	From   peer.ID
	Passes int
	Notice bool
	Asked  []peer.ID
}

// Answer says what came of an Ask; see pullpb.Answer.
type Answer struct {
	OK bool
	// By is who hands over, or said no last.
	By peer.ID
	// Messages counts the asks that were passed on, and a no.
	Messages int
}

// Handler answers asks. a.From is never empty. It is called from several
// goroutines.
type Handler func(ctx context.Context, sender peer.ID, a Ask) Answer

// Package control is the protocol /p2pfaas/control/1.0.0: a stream, one
// request, one bounded answer. Nodes ask each other by it for what changes
// seldom, such as which functions they run, and for what people want to know: how
// a node fares, which calls passed through it lately, and why each went where.
//
// A [Client] asks; a [Server] asks its [Gate] whether the peer may, by the verb
// that belongs to the request, and then its [Handlers]. To add a request: give
// it a field in controlpb.Request and Reply, a handler, and a case in
// Server.answer.
//
// What a peer answers is checked before it is returned: counts and lengths are
// within the limits below, names are of DNS label characters, other text is
// printable.
package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// ID is the protocol's ID.
const ID protocol.ID = "/p2pfaas/control/1.0.0"

// Limits of one exchange.
const (
	MaxRequest   = 64 << 10 // bytes
	MaxReply     = 1 << 20  // bytes
	MaxFunctions = 4096     // in one reply
	MaxName      = 63       // bytes of a function's name or namespace
	// Timeout is how long one exchange may take, at either side.
	Timeout = 10 * time.Second
)

// Code says how a request fared; the numbers are those of protocol/README.md.
type Code uint32

const (
	// CodeOK: the answer follows.
	CodeOK Code = 0
	// CodeDenied: the peer may not ask this.
	CodeDenied Code = 1
	// CodeUnknownRequest: this node does not know or not serve the request.
	CodeUnknownRequest Code = 2
	// CodeInternal: the node could not answer; its log says why.
	CodeInternal Code = 3
	// CodeTooLarge: the answer would be beyond MaxReply.
	CodeTooLarge Code = 4
	// CodeNotFound: there is nothing of that name, or nothing that the peer may see.
	CodeNotFound Code = 5
	// CodeBadRequest: the request breaks the protocol.
	CodeBadRequest Code = 6
)

func (c Code) String() string {
	switch c {
	case CodeOK:
		return "ok"
	case CodeDenied:
		return "denied"
	case CodeUnknownRequest:
		return "unknown request"
	case CodeInternal:
		return "internal error"
	case CodeTooLarge:
		return "answer too large"
	case CodeNotFound:
		return "not found"
	case CodeBadRequest:
		return "bad request"
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// Error is an answer other than CodeOK. It is itself comparable by errors.Is
// with an Error of the same Code.
type Error struct {
	Code Code
	Text string
}

func (e *Error) Error() string {
	if e.Text == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Text
}

// Is tells whether target has the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// ErrBadReply means that a peer's answer breaks the protocol.
var ErrBadReply = errors.New("bad control reply")

// ErrNotReached means that there was no way to ask the peer.
var ErrNotReached = errors.New("peer not reached")

// Gate says whether p may do v; an error denies it. It may wait for p to
// introduce itself, until ctx ends. *host.Access is one.
type Gate interface {
	Allow(ctx context.Context, p peer.ID, v host.Verb, function string) error
}

// Handlers answer requests; one that is nil is an unknown request. They are
// called from several goroutines. An error is logged and sent as CodeInternal,
// but for one that wraps ErrNotFound. The Gate has let from pass the request's
// verb; what of its answer from may see is for the handler to know.
type Handlers struct {
	// Functions and Status take the verb discover.
	Functions func(ctx context.Context, from peer.ID) (Functions, error)
	Status    func(ctx context.Context, from peer.ID) (Status, error)
	// Why and Calls take the verb read.
	Why   func(ctx context.Context, from peer.ID, q WhyQuery) (Why, error)
	Calls func(ctx context.Context, from peer.ID, q CallsQuery) ([]Call, error)
}

// Functions is what a node runs.
type Functions struct {
	// Digest is the one that the node's load reports carry while it runs these.
	Digest uint64
	List   []Function
}

// Function is one of them. Times are this node's measurements.
type Function struct {
	Name        string
	Namespace   string
	Fingerprint [8]byte
	Warm        bool
	// Cold is how long a cold start takes, 0 if never seen.
	Cold time.Duration
	// Mean and P10 of its service times; 0 if never measured.
	Mean time.Duration
	P10  time.Duration
	// Spread is their standard deviation over Mean.
	Spread float64
	// KeptHome: others may not run it for the node, nor send it there.
	KeptHome bool
	// Idempotent: an invocation may run twice.
	Idempotent bool
}

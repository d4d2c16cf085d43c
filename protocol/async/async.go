// Package async carries what nodes tell each other of asynchronous calls: the
// copy of a call that a second node keeps, questions about a call that another
// node holds, and its cancellation. Protocol /p2pfaas/async/1.0.0; one exchange
// a stream, bodies are streamed.
//
// A [Client] asks; a [Server] asks its [Gate] whether the peer may, and then its
// [Handlers], which keep everything: the package itself keeps nothing.
//
// A body that breaks off reads as io.ErrUnexpectedEOF at the other side, never as
// its end: whoever stores one MUST read up to io.EOF before it says so.
package async

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// ID of the protocol.
const ID = "/p2pfaas/async/1.0.0"

// Limits of one exchange.
const (
	MaxMessage  = 1 << 20 // bytes of a request, without its body
	MaxReply    = 2 << 20 // bytes: a call's header and its answer's
	MaxChunk    = 1 << 20 // bytes of a body of unknown size; bodies are not limited
	MaxID       = 128     // bytes of a call ID
	MaxIDs      = 4096    // in one request
	MaxCallback = 8 << 10 // bytes of a URL
	maxFields   = 1024    // of a header
	maxWord     = 1024    // bytes of a function, method, host or field name
	// Timeout is how long an exchange may take, but for its body.
	Timeout = 10 * time.Second
	// StallTime is how long a body may make no progress, and how long it may take
	// to be stored once it is there.
	StallTime = 30 * time.Second
)

var (
	// ErrNotFound: the asked node does not know the call.
	ErrNotFound = errors.New("call not found")
	// ErrFull: the asked node has no room for the call.
	ErrFull = errors.New("queue full")
	// ErrFinished: the call has ended and cannot be cancelled.
	ErrFinished = errors.New("call has ended already")
)

// State of a call.
type State string

const (
	Queued    State = "queued"    // waits for its first or next attempt
	Running   State = "running"   // an attempt is under way
	Done      State = "done"      // the function answered; its status may be any
	Dead      State = "dead"      // all attempts failed; listed until re-queued or dropped
	Cancelled State = "cancelled" // by DELETE
)

// Ended tells whether nothing more will happen to a call by itself.
func (s State) Ended() bool { return s == Done || s == Dead || s == Cancelled }

// Call is an asynchronous call as it was accepted; its body travels beside it.
type Call struct {
	ID       string
	Function string // name[.namespace]
	Method   string
	Path     string
	Query    string
	Host     string
	Header   invoke.Header
	Size     int64 // of the body, bytes
	// Callback is the URL that gets the answer, "" for none.
	Callback string
	// Accepted is how long ago the call was accepted: ages travel, not clocks.
	Accepted time.Duration
}

// Status is how a call stands.
type Status struct {
	Call
	Holder   peer.ID // who answers for it
	State    State
	Attempts int
	// Code is the HTTP status of the function's answer, 0 while there is none.
	Code int
	// Problem says why the last attempt failed, for people.
	Problem string
	// Next is in how long the next attempt begins, 0 if none is due.
	Next time.Duration
	// Callback's own state: attempts made and whether it was delivered.
	CallbackAttempts  int
	CallbackDelivered bool
	// Result tells whether the answer is kept; its header and size, -1 if unknown.
	Result       bool
	ResultHeader invoke.Header
	ResultSize   int64
}

// Handlers answer other nodes. They are called from several goroutines.
type Handlers interface {
	// Keep stores a copy of from's call durably before it returns. It may return
	// ErrFull.
	Keep(ctx context.Context, from peer.ID, c Call, body io.Reader) error
	// Forget drops the copy of a call that from has brought to its end.
	Forget(ctx context.Context, from peer.ID, id string) error
	// Find tells of a call that this node holds itself, and with wantResult gives
	// the kept answer's body (nil if there is none), which the caller closes. It
	// does not ask further nodes.
	Find(ctx context.Context, from peer.ID, id string, wantResult bool) (Status, io.ReadCloser, error)
	// Cancel ends a call that waits here, and asks one under way to end.
	Cancel(ctx context.Context, from peer.ID, id string) (Status, error)
	// Alive tells which of the ids, calls of which from keeps copies, this node
	// still holds and has not ended. A copy whose holder says no is dropped.
	Alive(ctx context.Context, from peer.ID, ids []string) ([]string, error)
}

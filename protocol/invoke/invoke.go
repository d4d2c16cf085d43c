// Package invoke is the protocol /p2pfaas/invoke/1.0.0: one invocation at a
// time on a kept stream, its bodies streamed both ways.
//
// [Client] sends invocations over a pool of kept streams per peer; [Server]
// hands those that arrive to a [Handler]. Neither decides anything. The wire
// format is in protocol/README.md.
//
// The client reads answers on the caller's goroutine; only a body that does not
// fit the first write gets a goroutine of its own. The server reads a small
// invocation and runs its handler on one goroutine, the stream's; a second one is
// put beside it for a large body, and after 10 ms, so that it is seen then at the
// latest that a caller has gone away.
//
// What a caller may rely on:
//
//   - An error for which [NotStarted] is true means that the function did not
//     run and never will for this attempt.
//   - An answer's Body ends with io.EOF only if it is whole. A cut one ends
//     with an *[Error], or io.ErrUnexpectedEOF.
//   - Cancelling the context of an invocation resets its stream with
//     CodeCancelled; the handler's context on the other side is cancelled then.
//   - An answer's Body must be read to its end or closed, or its stream is lost
//     to the pool.
package invoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// ID is the protocol's ID.
const ID protocol.ID = "/p2pfaas/invoke/1.0.0"

// FirstWindow is how much of a body a client sends before it has heard
// progress{started} or an answer, in bytes. So much is kept for a replay, and
// so much is drained after a refusal to keep the stream.
const FirstWindow = 256 << 10

// Field is one header line; an alias, so that a Header converts without a copy.
type Field = struct{ Name, Value string }

// Header is an ordered list of end-to-end fields.
type Header []Field

// Request is an invocation as it crosses the wire.
type Request struct {
	CallID   string
	Function string // name[.namespace]
	Method   string
	Path     string // escaped, empty or begins with "/"
	Query    string // raw
	Host     string
	Header   Header
	// Size is the body's length, -1 if unknown (sent in chunks).
	Size int64
	// Body is read until EOF or Size bytes, never closed. The client stops
	// reading it, for good, before Wait returns an error and before the
	// Answer's Body.Close returns; so a Read that may wait for long should end
	// with the invocation's context, or Body should be an [Interrupter]. On the
	// server's side it is valid until the Handler's answer has been sent.
	Body io.Reader
	// Rewindable says that Body can be read again from its beginning, however much
	// of it was read: the client then does not stop at FirstWindow. It does not
	// cross the wire.
	Rewindable bool
	// Trailer gives the trailer once Body has returned EOF; may be nil. It is
	// sent only with a body of unknown size.
	Trailer func() Header
	// Deadline is the time left, 0 for none. The client reduces it by the time
	// that passes before the header is sent.
	Deadline time.Duration
	// Hops are the nodes on the way so far, the sender last; empty from an SDK client.
	Hops []peer.ID
	// Avoid are nodes that failed on this invocation, at most 16: it should not
	// go there.
	Avoid       []peer.ID
	Parent      string
	TraceParent string
	TraceState  string
	MayRepeat   bool
	Upgrade     string
	Fingerprint []byte
	TaskType    float64
	Priority    int
}

// Answer is what came back.
type Answer struct {
	Status int
	Header Header
	// Size is the body's length, -1 if unknown.
	Size int64
	// NoBody: Size is only what the header said (HEAD, 204, 304).
	NoBody bool
	// Body is never nil on the client's side; closing it early resets the
	// stream (CodeCancelled). On the server's side the Server closes it.
	Body    io.ReadCloser
	Trailer func() Header
	// Conn is set with status 101 only.
	Conn        Conn
	Fingerprint []byte
	// Hops has one entry per node, the answering one first, the executing last.
	Hops []Hop
}

// Conn carries raw bytes after an upgrade.
type Conn interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Hop is one node's part of an invocation; see invokepb.Hop.
type Hop struct {
	Peer     peer.ID
	Total    time.Duration
	Decide   time.Duration
	Probe    time.Duration
	Queue    time.Duration
	Service  time.Duration
	Policy   string
	Reason   uint8
	Attempts int
}

// Progress is told while the answer is not there yet.
type Progress struct {
	Started bool // else it still waits in a queue
}

// Code says why there was no answer, or why one was cut. Codes cross the wire
// in answers and as stream reset codes: never renumber them.
type Code uint32

// Codes below 0x2100 mean that the function was not started and never will be.
const (
	// CodeRefused: the node does not take it now (full, or its policy says so).
	CodeRefused Code = 0x2000
	// CodeExpired: its deadline passed, or could not be met any more, in the queue.
	CodeExpired Code = 0x2001
	// CodeNoFunction: neither here nor known elsewhere.
	CodeNoFunction Code = 0x2002
	// CodeDraining: the node is going away.
	CodeDraining Code = 0x2003
	// CodeDenied: this peer may not do that.
	CodeDenied Code = 0x2004
	// CodeLoop: the invocation has been here before, or took too many hops.
	CodeLoop Code = 0x2005
	// CodeTakenBack: cancelled while it was queued, as the caller asked.
	CodeTakenBack Code = 0x2006
	// CodeBadRequest: the header cannot be accepted.
	CodeBadRequest Code = 0x2007
	// CodeWrongVersion: the function here is not of the fingerprint asked for.
	CodeWrongVersion Code = 0x2008
	// CodeUnavailable: the function's runtime is out of order; nothing was started.
	CodeUnavailable Code = 0x2009

	// CodeCancelled: the caller went away.
	CodeCancelled Code = 0x2100
	// CodeDeadline: the deadline passed while it ran.
	CodeDeadline Code = 0x2101
	// CodeCut: the function's answer broke off.
	CodeCut Code = 0x2102
	// CodeUnknown: it may have run; nobody can tell.
	CodeUnknown Code = 0x2103
	// CodeFailed: the function was called and gave no valid answer.
	CodeFailed Code = 0x2104
	// CodeProtocol: the other side broke the protocol.
	CodeProtocol Code = 0x2105
	// CodeShutdown: the node ended while it ran.
	CodeShutdown Code = 0x2106
)

// NotStarted tells whether c promises that the function did not run.
func (c Code) NotStarted() bool { return c >= 0x2000 && c < 0x2100 }

// Error is the failure of an invocation.
type Error struct {
	Code Code
	// Text is for people; empty when the code came as a stream reset.
	Text string
	// RetryAfter is when to try again, 0 if not said.
	RetryAfter time.Duration
	// Remote: the other side said so. Else this side found out.
	Remote bool
	// Err is the cause below, if any.
	Err error
	// Hops is the way so far as this node knows it, the node asked last included.
	// It does not cross the wire.
	Hops []Hop
}

func (e *Error) Error() string {
	s := e.Code.String()
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// NotStarted tells whether err promises that the function did not run: a code
// of that range, or the peer was not reached.
func NotStarted(err error) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.Code.NotStarted()
	}
	return errors.Is(err, ErrNotReached)
}

// ErrNotReached: no byte of the invocation was sent to the peer.
var ErrNotReached = errors.New("peer not reached")

// Handler answers the invocations that arrive.
type Handler interface {
	// ServeInvoke is called on a goroutine of its own, and returns when the
	// answer's header is known; the Server then sends it and the body, and
	// closes Body (or Conn). It MUST call c.Start right before it runs the work,
	// and c.Hold before it hands it on: until then the caller may take it back.
	// An error that wraps an *Error is told to the caller by its Code; any other
	// by the cause of ctx if that has ended, else as CodeFailed with no text from
	// inside.
	//
	// ctx is cancelled when the caller goes away, resets the stream, or takes
	// back, and when the deadline passes before the answer's header is sent (not
	// after it); context.Cause tells which, as an *Error. It is also cancelled
	// once the answer is sent.
	ServeInvoke(ctx context.Context, c *Call) (*Answer, error)
}

var codeText = map[Code]string{
	CodeRefused:      "refused",
	CodeExpired:      "expired in queue",
	CodeNoFunction:   "no such function",
	CodeDraining:     "draining",
	CodeDenied:       "denied",
	CodeLoop:         "loop",
	CodeTakenBack:    "taken back",
	CodeBadRequest:   "bad request",
	CodeWrongVersion: "other version of the function",
	CodeUnavailable:  "function runtime unavailable",
	CodeCancelled:    "cancelled",
	CodeDeadline:     "deadline exceeded",
	CodeCut:          "answer cut short",
	CodeUnknown:      "unknown outcome",
	CodeFailed:       "function failed",
	CodeProtocol:     "protocol violation",
	CodeShutdown:     "node shut down",
}

func (c Code) String() string {
	if s, ok := codeText[c]; ok {
		return s
	}
	return fmt.Sprintf("code 0x%x", uint32(c))
}

// Gate says whether a peer may invoke a function, before anything of it runs.
// It may wait (for the peer's hello) as long as ctx allows.
type Gate interface {
	Allow(ctx context.Context, p peer.ID, function string) error
}

// Config of a Client or Server. The zero value of each field means its default.
type Config struct {
	// Streams is the pool's size per peer, default 64. A stream busy for longer
	// than StreamBusy does not count, up to StreamsMax in all.
	Streams    int
	StreamsMax int           // default 512
	StreamBusy time.Duration // default 5 s
	StreamIdle time.Duration // an unused stream is closed after it, default 60 s
	// HeaderMax bounds a frame's header in bytes, default 1 MiB.
	HeaderMax int
	// ProgressAfter is when a Server that has no answer yet says so, default 20
	// ms, and ProgressEvery how often from then on, default 1 s.
	ProgressAfter time.Duration
	ProgressEvery time.Duration
	// NoDial: a Client uses connections that there are, and makes none. Without
	// one the peer is not reached, at once.
	NoDial bool
	// News is told with each message, and heard from each; both may be nil.
	News  load.Source
	Heard load.Sink
}

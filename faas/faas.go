// Package faas says how a function is run on this machine, and knows nothing of
// meshes, peers or policies.
//
// A [Runtime] deploys functions and invokes them. There are two: package
// openfaas talks to a real OpenFaaS gateway, package embedded runs functions
// inside the node. Package faastest holds the conformance suite that each
// Runtime passes.
//
// Bodies are streams in both directions: no Runtime buffers a whole request or
// answer, and an answer may begin before the request's body has ended.
package faas

import (
	"context"
	"errors"
	"io"
	"time"
)

// Sentinel errors of every Runtime. An error that a Runtime returns wraps one
// of them, or is of the machine below it (a disk, a socket).
var (
	// ErrNotFound: no such function is deployed here, or there is no such secret
	// or namespace.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the deployment or request cannot be accepted as it is; the
	// text says why and how to mend it.
	ErrInvalid = errors.New("invalid")
	// ErrUnavailable: the runtime itself cannot be reached (an outage, not an
	// absent function).
	ErrUnavailable = errors.New("function runtime unavailable")
	// ErrNotStarted marks a failed invocation of which no byte reached the
	// function, so that running it again, here or elsewhere, is safe. An error
	// of Invoke without it means that the function may have run.
	ErrNotStarted = errors.New("function not started")
	// ErrEnded: the function's process ended while it answered; the text says how.
	ErrEnded = errors.New("function ended")
	// ErrUnsupported: this runtime does not offer the operation.
	ErrUnsupported = errors.New("not supported by this runtime")
)

// Request is one invocation of a function, as HTTP semantics without HTTP/1
// framing.
type Request struct {
	Name   Name
	CallID string
	Method string
	// Path is the escaped path behind the function's name: empty, or begins
	// with "/".
	Path string
	// Query is the raw query without "?".
	Query string
	Host  string
	// Header holds end-to-end fields only; see [Header.DropHopByHop].
	Header Header
	// Body is read until EOF, never closed, and not read any more once Invoke
	// has failed or the Response's Body has been closed. Nil means none.
	Body io.Reader
	// Size is the body's length in bytes, -1 if unknown.
	Size int64
	// Trailer gives the request's trailer once Body has returned EOF. May be nil.
	Trailer func() Header
	// Upgrade is the protocol asked for by the Upgrade field ("websocket"),
	// else empty. A Runtime restores Connection and Upgrade towards the function.
	Upgrade string
}

// Response is a function's answer. The caller closes Body (or Conn) always;
// that frees the function's connection, and ends the call if it still runs.
type Response struct {
	Status int
	Header Header
	// Body is never nil. Read returns bytes as soon as the function produced
	// them. An answer that was cut short ends with [io.ErrUnexpectedEOF], never
	// with a clean EOF.
	Body io.ReadCloser
	// Size is the body's length in bytes, -1 if unknown. For HEAD, 204 and 304
	// it is what the function's Content-Length field said, and Body is empty.
	Size int64
	// Trailer gives the answer's trailer once Body has returned EOF. May be nil.
	Trailer func() Header
	// Conn is set with status 101 only: raw bytes both ways; Body is then empty.
	Conn Conn
}

// Conn carries raw bytes after a protocol upgrade.
type Conn interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Info tells what runs the functions.
type Info struct {
	Name    string // "embedded", "openfaas"
	Version string
}

// Runtime runs functions on this machine. All methods are safe for concurrent
// use, and return errors that wrap the sentinels above. What it may offer besides:
// [SecretKeeper], [Logger], [NamespaceKeeper], [Meter].
type Runtime interface {
	// Info MUST be cheap; it returns ErrUnavailable in an outage.
	Info(ctx context.Context) (Info, error)
	// List returns the deployments of a namespace, of all with "", sorted by
	// name and never nil.
	List(ctx context.Context, namespace string) ([]Status, error)
	// Get returns one deployment or ErrNotFound.
	Get(ctx context.Context, name Name) (Status, error)
	// Deploy creates a deployment or replaces the one of that name. It returns
	// when the deployment is stored; its processes may still be starting.
	Deploy(ctx context.Context, f Function) error
	// Remove ends a deployment, or returns ErrNotFound. Invocations under way
	// are answered first, up to a grace period.
	Remove(ctx context.Context, name Name) error
	// Scale sets the number of replicas; 0 stops the function until the next
	// invocation starts it again.
	Scale(ctx context.Context, name Name, replicas int) error
	// Invoke runs a function and returns when its answer's header is there; the
	// body follows. Cancelling ctx ends the call at the function (its
	// connection is closed, its process killed) until Body is closed.
	Invoke(ctx context.Context, r *Request) (*Response, error)
	// Close stops all that the Runtime started and waits for it.
	Close() error
}

// Status is a deployment as it stands now.
type Status struct {
	Function
	Replicas          int
	AvailableReplicas int
	Invocations       uint64
	CreatedAt         time.Time
	// ColdStart is the last measured time from start to readiness, 0 if never
	// measured.
	ColdStart time.Duration
	// Usage is what it takes now, nil if unknown.
	Usage *Usage
	// Note says what the runtime does not enforce or could not do, for people.
	Note string
	// Digest is an image that says by its digest what Image stands for here, such as
	// "wasm:sha256:HEX"; empty if the Runtime knows no digest.
	Digest string
	// Serving is what answers now, where that is not Function but an earlier
	// version of it: the new one is starting, or did not. Nil: it is Function.
	Serving *Fingerprint
}

// Fingerprint is that of what answers now. A digest stands in for the image: it
// is the same on every node, whatever the path, and another for other content.
func (s *Status) Fingerprint() Fingerprint {
	if s.Serving != nil {
		return *s.Serving
	}
	f := s.Function
	if s.Digest != "" {
		f.Image = s.Digest
	}
	return f.Fingerprint()
}

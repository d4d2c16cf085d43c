package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// What went wrong, for errors.Is. All but ErrClosed come in an [*Error].
var (
	// ErrRefused: no node takes it now; the function was not started. Try again
	// after Error.RetryAfter.
	ErrRefused = errors.New("refused")
	// ErrNoFunction: the mesh knows no such function.
	ErrNoFunction = errors.New("no such function")
	// ErrDenied: this client may not invoke it.
	ErrDenied = errors.New("denied")
	// ErrBadRequest: the request cannot be sent or is not accepted as it is.
	ErrBadRequest = errors.New("bad request")
	// ErrUnavailable: the node's function runtime is out of order; the function
	// was not started.
	ErrUnavailable = errors.New("function runtime unavailable")
	// ErrNotReached: no node could be reached; the function was not started.
	ErrNotReached = errors.New("no node reached")
	// ErrDeadline: the deadline passed. Also matches context.DeadlineExceeded.
	ErrDeadline = errors.New("deadline exceeded")
	// ErrCancelled: the caller's context was cancelled. Also matches
	// context.Canceled.
	ErrCancelled = errors.New("cancelled")
	// ErrFailed: the function was called and gave no valid answer.
	ErrFailed = errors.New("function failed")
	// ErrUnknownOutcome: it may have run, nobody can tell.
	ErrUnknownOutcome = errors.New("unknown outcome")
	// ErrTruncated: the answer began and was cut short. Mostly an error of
	// Body.Read; of Invoke if so little had been sent that even the header was
	// lost.
	ErrTruncated = errors.New("answer truncated")
	// ErrBody: reading the request's body failed; the cause is below.
	ErrBody = errors.New("request body failed")
	// ErrClosed: the client has been closed.
	ErrClosed = errors.New("client closed")
)

// Error is the failure of an invocation.
type Error struct {
	// Kind is one of the sentinels above; errors.Is matches it.
	Kind error
	// Code is what crossed the wire, 0 if this side found out.
	Code invoke.Code
	// Text is the explanation, for people: the node's, or what happened here.
	Text string
	// Hint says what to do about it. May be empty.
	Hint string
	// RetryAfter is when to try again, 0 if no node said so.
	RetryAfter time.Duration
	// NotStarted: the function did not run, and will not.
	NotStarted bool
	// Node is the peer that was asked; "" if none was.
	Node string
	// CallID names the invocation in the mesh's records ("p2pfaas-node why").
	CallID string
	// Attempts counts the nodes asked, repetitions included.
	Attempts int
	// Err is the cause below, if any.
	Err error
}

// Error is one line: what happened, where, why, and what to do.
func (e *Error) Error() string {
	s := e.Kind.Error()
	if e.Node != "" {
		s += " (node " + e.Node + ")"
	}
	if e.Text != "" {
		s += ": " + e.Text
	} else if e.Code == 0 && e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.RetryAfter > 0 {
		s += fmt.Sprintf("; retry after %v", e.RetryAfter)
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Is matches the sentinel, and the context's error where there is one.
func (e *Error) Is(target error) bool {
	switch target {
	case e.Kind:
		return true
	case context.Canceled:
		return e.Kind == ErrCancelled
	case context.DeadlineExceeded:
		return e.Kind == ErrDeadline
	}
	return false
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// failure explains err, with which the node p failed, to the caller. What ended
// the context counts more than what came of it.
func failure(ctx context.Context, p peer.ID, err error) *Error {
	e := &Error{Kind: ErrUnknownOutcome, NotStarted: invoke.NotStarted(err), Node: p.String(), Err: err}
	var wire *invoke.Error
	switch {
	case errors.As(err, &wire):
		e.Kind, e.Code, e.Text, e.RetryAfter = kindOf(wire.Code), wire.Code, explain(wire), wire.RetryAfter
	case errors.Is(err, invoke.ErrNotReached):
		e.Kind = ErrNotReached
	}
	switch ctx.Err() {
	case context.Canceled:
		e.Kind = ErrCancelled
	case context.DeadlineExceeded:
		e.Kind = ErrDeadline
	}
	e.Hint = hintOf(e.Kind)
	return e
}

// explain is the node's text, the name of the code that it reset the stream
// with, or what happened on this side.
func explain(e *invoke.Error) string {
	switch {
	case e.Text != "":
		return e.Text
	case e.Remote || e.Err == nil:
		return e.Code.String()
	}
	return e.Err.Error()
}

func kindOf(c invoke.Code) error {
	switch c {
	case invoke.CodeRefused, invoke.CodeDraining, invoke.CodeLoop, invoke.CodeTakenBack:
		return ErrRefused
	case invoke.CodeNoFunction, invoke.CodeWrongVersion:
		return ErrNoFunction
	case invoke.CodeDenied:
		return ErrDenied
	case invoke.CodeBadRequest:
		return ErrBadRequest
	case invoke.CodeUnavailable:
		return ErrUnavailable
	case invoke.CodeExpired, invoke.CodeDeadline:
		return ErrDeadline
	case invoke.CodeCancelled:
		return ErrCancelled
	case invoke.CodeFailed:
		return ErrFailed
	case invoke.CodeCut:
		return ErrTruncated
	}
	if c.NotStarted() { // a code of a later version
		return ErrRefused
	}
	return ErrUnknownOutcome
}

func hintOf(kind error) string {
	switch kind {
	case ErrNoFunction:
		return "check name and namespace, or deploy it on a node of this mesh"
	case ErrDenied:
		return "ask the mesh's operator to let this client in"
	case ErrUnavailable:
		return "see the node's log"
	case ErrNotReached:
		return "check the addresses, that a node runs there, and the mesh's name"
	case ErrUnknownOutcome:
		return "it may have run: find out before repeating it, or mark it Idempotent"
	}
	return ""
}

// graver picks what to tell of two attempts: that one may have run outweighs
// all, and a node's answer says more than none.
func graver(a, b *Error) *Error {
	switch {
	case a == nil:
		return b
	case a.NotStarted != b.NotStarted:
		if a.NotStarted {
			return b
		}
		return a
	case b.Kind == ErrNotReached:
		return a
	}
	return b
}

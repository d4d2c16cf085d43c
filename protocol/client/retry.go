package client

import (
	"context"
	"net/http"
)

// Retry says when an invocation is sent once more.
type Retry uint8

const (
	// RetryIdempotent, the default: when it surely did not start, or may run
	// twice.
	RetryIdempotent Retry = iota
	// RetryAlways: all may run twice.
	RetryAlways
	// RetryNever: no second attempt by this client, whatever happened, and none
	// by the mesh once it may have started.
	RetryNever
)

// mayRepeat tells whether r may run twice.
func (p Retry) mayRepeat(r *Request) bool {
	switch p {
	case RetryAlways:
		return true
	case RetryNever:
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Idempotent || r.Header.Get("Idempotency-Key") != ""
}

// again tells whether to try once more after e, and if so rewinds the body.
// lone: there is no other node to ask.
func (c *Client) again(ctx context.Context, call *call, e *Error, lone bool) bool {
	if c.retry == RetryNever || c.closed.Load() || ctx.Err() != nil || !repairable(e, lone) {
		return false
	}
	return (e.NotStarted || call.mayRepeat) && call.rewind()
}

// repairable tells whether another attempt could end otherwise. A lone node is
// worth asking again only if it, or the way to it, broke down.
func repairable(e *Error, lone bool) bool {
	switch e.Kind {
	case ErrNotReached, ErrUnknownOutcome:
		return true
	case ErrBadRequest, ErrBody, ErrCancelled:
		return false
	case ErrDeadline:
		return e.NotStarted && !lone // expired in that node's queue, before its time
	}
	return !lone
}

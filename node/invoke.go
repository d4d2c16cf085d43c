package node

import (
	"context"
	"errors"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Invoke answers an invocation that entered the mesh at this node over HTTP.
func (d *dispatcher) Invoke(ctx context.Context, r *invoke.Request, o gateway.Options) (*invoke.Answer, error) {
	inv := &invocation{Request: *r, body: newReplay(r.Body, d.budget), caller: patient{}}
	if 0 < r.Size && r.Size <= gateway.SmallBody && !o.Expects { // see [replay.prefetch]
		if err := inv.body.prefetch(r.Size); err != nil {
			inv.body.close()
			return nil, &invoke.Error{Code: invoke.CodeCancelled, Text: "the request's body broke off", Err: err}
		}
	}
	return d.dispatch(ctx, inv)
}

func newCallID() string { return gateway.NewCallID() }

// codeOf is the code that an error of an invocation carries.
func codeOf(err error) invoke.Code {
	var e *invoke.Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, invoke.ErrNotReached):
		return invoke.CodeUnavailable
	}
	return invoke.CodeUnknown
}

package node

import (
	"context"
	"errors"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// prefetchMax is the largest body that is read whole before it is decided where
// it runs, in bytes. Only then does an HTTP server notice that its client hangs
// up while the call waits.
const prefetchMax = 64 << 10

// Invoke answers an invocation that entered the mesh at this node over HTTP.
func (d *dispatcher) Invoke(ctx context.Context, r *invoke.Request, o gateway.Options) (*invoke.Answer, error) {
	inv := &invocation{Request: *r, body: newReplay(r.Body, d.budget), caller: patient{}}
	if 0 < r.Size && r.Size <= prefetchMax && !o.Expects {
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

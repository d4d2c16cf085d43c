package node

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Invoke answers an invocation that entered the mesh at this node over HTTP.
func (d *dispatcher) Invoke(ctx context.Context, r *invoke.Request, o gateway.Options) (*invoke.Answer, error) {
	if err := d.policy.know(o.Policy); err != nil {
		return nil, err
	}
	inv := newInvocation(r, patient{}, d.budget)
	inv.policy, inv.step = o.Policy, o.Step
	if 0 < r.Size && r.Size <= gateway.SmallBody && !o.Expects { // see [replay.prefetch]
		if err := d.prefetchWithin(cmp.Or(r.Deadline, headerLimit), inv.body, r); err != nil {
			inv.body.close()
			return nil, brokenBody(err)
		}
	}
	return d.dispatch(ctx, inv)
}

// prefetchWithin reads a small body; a client that is slower than limit is cut off.
func (d *dispatcher) prefetchWithin(limit time.Duration, body *replay, r *invoke.Request) error {
	if s, ok := r.Body.(invoke.Interrupter); ok {
		alarm := d.alarms.set(limit, s)
		defer alarm.stop(&d.alarms)
	}
	return body.prefetch(r.Size)
}

func brokenBody(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &invoke.Error{Code: invoke.CodeExpired, Text: "the request's body did not come within the deadline"}
	}
	return &invoke.Error{Code: invoke.CodeCancelled, Text: "the request's body broke off", Err: err}
}

const headerPolicy = gateway.HeaderPolicy

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

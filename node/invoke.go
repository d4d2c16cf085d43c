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
	inv := d.newInvocation(r, patient{})
	inv.policy, inv.step = o.Policy, o.Step
	if 0 < r.Size && r.Size <= gateway.SmallBody && !o.Expects { // see [replay.prefetch]
		if err := prefetchWithin(cmp.Or(r.Deadline, headerLimit), inv.body, r); err != nil {
			inv.body.close()
			return nil, brokenBody(err)
		}
	}
	return d.dispatch(ctx, inv)
}

// limited is a body whose reads can be given a time limit, 0 for none.
type limited interface{ Limit(d time.Duration) }

// prefetchWithin reads a small body; a client that is slower than limit is cut off.
func prefetchWithin(limit time.Duration, body *replay, r *invoke.Request) error {
	slow, ok := r.Body.(limited)
	if ok {
		slow.Limit(limit)
	}
	err := body.prefetch(r.Size)
	if ok && err == nil { // else nobody is to wait for the rest
		slow.Limit(0)
	}
	return err
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

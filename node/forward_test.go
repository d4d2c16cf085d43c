package node

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// What is held against a peer, and what is not, decides who gets work.
func TestForwardResult(t *testing.T) {
	told := func(c invoke.Code) error { return &invoke.Error{Code: c, Remote: true} }
	late, cancelLate := context.WithCancelCause(context.Background())
	cancelLate(&invoke.Error{Code: invoke.CodeDeadline})
	gone, cancelGone := context.WithCancel(context.Background())
	cancelGone()
	alive := context.Background()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want mesh.Result
	}{
		{"answered", alive, nil, mesh.Answered},
		{"not reached", alive, fmt.Errorf("dial: %w", invoke.ErrNotReached), mesh.NotReached},
		{"connection lost", alive, &invoke.Error{Code: invoke.CodeUnknown}, mesh.Failed},
		{"some other error", alive, errors.New("x"), mesh.Failed},
		{"refused", alive, told(invoke.CodeRefused), mesh.Refused},
		{"draining", alive, told(invoke.CodeDraining), mesh.Refused},
		{"its function failed", alive, told(invoke.CodeFailed), mesh.Unfit},
		{"its runtime is down", alive, told(invoke.CodeUnavailable), mesh.Unfit},
		{"a node behind it died", alive, told(invoke.CodeUnknown), mesh.Abandoned},
		{"taken back", alive, told(invoke.CodeTakenBack), mesh.Refused},
		{"it shut down", alive, told(invoke.CodeShutdown), mesh.Failed},
		{"deadline", late, told(invoke.CodeDeadline), mesh.Late},
		{"caller gone", gone, &invoke.Error{Code: invoke.CodeCancelled}, mesh.Abandoned},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := forwardResult(c.ctx, c.err); got != c.want {
				t.Errorf("result %v, want %v", got, c.want)
			}
		})
	}
}

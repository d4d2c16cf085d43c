package node

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// forwarder has peers answer invocations; see [wire].
type forwarder interface {
	// Send returns when the answer's header is there. started is called when the
	// peer says that the function runs.
	Send(ctx context.Context, p peer.ID, r *invoke.Request, started func()) (*invoke.Answer, error)
}

// wire is the forwarder over protocol/invoke.
type wire struct{ client *invoke.Client }

func (w wire) Send(ctx context.Context, p peer.ID, r *invoke.Request, started func()) (*invoke.Answer, error) {
	x, err := w.client.Open(ctx, p, r)
	if err != nil {
		return nil, err
	}
	return x.Wait(func(progress invoke.Progress) {
		if progress.Started {
			started()
		}
	})
}

// forward has a peer answer the invocation.
func (d *dispatcher) forward(ctx context.Context, inv *invocation, to peer.ID) (*invoke.Answer, error) {
	if !inv.caller.Hold() {
		return nil, takenBack()
	}
	d.forwards.tick(d.clock())
	d.mesh.Sent(to)
	began := d.clock()
	answer, err := d.client.Send(ctx, to, inv.toPeer(d.self, began), func() { inv.caller.Start() })
	took := d.clock() - began
	d.metrics.forwarded(took, err)
	d.mesh.Done(to, mesh.Done{Result: forwardResult(ctx, err), Took: took})
	return answer, err
}

// toPeer is the request as a peer gets it.
func (inv *invocation) toPeer(self peer.ID, now time.Duration) *invoke.Request {
	r := inv.Request
	r.Body = nil
	if body := inv.body.attempt(); body != nil && inv.Size != 0 {
		r.Body = body
	}
	r.Deadline = inv.left(now)
	r.Hops = append(inv.Hops[:len(inv.Hops):len(inv.Hops)], self)
	if inv.function != nil {
		r.Fingerprint = inv.function.print[:]
	}
	return &r
}

// forwardResult is what a forward says about the peer, not about the function.
func forwardResult(ctx context.Context, err error) mesh.Result {
	var e *invoke.Error
	switch {
	case err == nil:
		return mesh.Answered
	case ctx.Err() != nil:
		return mesh.Abandoned
	case errors.Is(err, invoke.ErrNotReached):
		return mesh.NotReached
	case errors.As(err, &e) && e.Remote && e.Code.NotStarted():
		return mesh.Refused
	case errors.As(err, &e) && e.Remote && (e.Code == invoke.CodeFailed || e.Code == invoke.CodeDeadline):
		return mesh.Answered // the peer is well, its function is not
	}
	return mesh.Failed
}

package node

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// forwarder has peers answer invocations; see [overStreams].
type forwarder interface {
	// Send returns when the answer's header is there. Each time the peer says
	// whether the function runs already, sender is told; if it wants it, the
	// invocation is taken back unless it runs.
	Send(ctx context.Context, p peer.ID, r *invoke.Request, from sender) (*invoke.Answer, error)
}

// sender is who waits for an answer.
type sender interface {
	progress(started bool) (takeBack bool)
}

// overStreams is the forwarder over protocol/invoke.
type overStreams struct{ client *invoke.Client }

func (w overStreams) Send(ctx context.Context, p peer.ID, r *invoke.Request, from sender) (*invoke.Answer, error) {
	x, err := w.client.Open(ctx, p, r)
	if err != nil {
		return nil, err
	}
	return x.Wait(func(now invoke.Progress) {
		if from.progress(now.Started) {
			x.TakeBack()
		}
	})
}

// passage is what it takes to have a peer answer an invocation, in one piece of
// memory.
type passage struct {
	of      *dispatcher
	inv     *invocation
	began   time.Duration
	waited  time.Duration // until it started there, 0 if that is not known
	request invoke.Request
	hops    [4]peer.ID
}

// progress is told whether it runs there already; true takes it back.
func (g *passage) progress(started bool) (takeBack bool) {
	if !started {
		return g.of.freeFor(g.inv)
	}
	g.inv.caller.Start()
	g.waited = g.of.clock() - g.began
	return false
}

// forward has a peer answer the invocation.
func (d *dispatcher) forward(ctx context.Context, inv *invocation, to peer.ID) (*invoke.Answer, error) {
	if !inv.caller.Hold() {
		return nil, takenBack()
	}
	inv.sentTo = to
	g := &passage{of: d, inv: inv, began: d.clock()}
	d.forwards.tick(g.began)
	need := inv.need()
	d.mesh.Sent(to, inv.Function, need.mean())
	g.fill(d.mesh.Distance(to))
	answer, err := d.client.Send(ctx, to, &g.request, g)
	took := d.clock() - g.began
	d.metrics.forwarded(took, err)
	done := mesh.Done{Function: inv.Function, Result: forwardResult(ctx, err), Took: took, Waited: g.waited}
	if done.Result == mesh.Late {
		done.Waited = took
	}
	if done.Result == mesh.Late && g.waited > 0 {
		done.Result = mesh.Abandoned // it had started in time: the function is slow
	}
	d.mesh.Done(to, done)
	return answer, err
}

// freeFor tells whether a server is free here for what waits at a peer: then it
// is better run here.
func (d *dispatcher) freeFor(inv *invocation) bool {
	if inv.function == nil || inv.awayOnly {
		return false
	}
	need := inv.need()
	var self sched.Self
	d.slots.view(&self, &need)
	return self.Free
}

// fill makes the request as a peer gets it that is a round trip away. Its
// deadline is when the answer must leave there; a quarter of what is left is the most
// that the way may take of it, as a round trip can be measured wrong.
func (g *passage) fill(roundTrip time.Duration) {
	inv, r := g.inv, &g.request
	*r = inv.Request
	r.Body = nil
	if body := inv.body.attempt(); body != nil && inv.Size != 0 {
		r.Body = body
	}
	r.Deadline = inv.left(g.began)
	r.Deadline -= min(roundTrip, r.Deadline/4)
	r.Avoid = inv.visited[len(inv.Hops):]
	r.Hops = append(append(g.hops[:0], inv.Hops...), g.of.self)
	if inv.function != nil {
		r.Fingerprint = inv.function.print[:]
	}
}

// forwardResult is what a forward says about the peer.
func forwardResult(ctx context.Context, err error) mesh.Result {
	if err == nil {
		return mesh.Answered
	}
	var e *invoke.Error
	switch {
	case ctx.Err() != nil:
		if errors.As(context.Cause(ctx), &e) && e.Code == invoke.CodeDeadline {
			return mesh.Late
		}
		return mesh.Abandoned
	case errors.Is(err, invoke.ErrNotReached):
		return mesh.NotReached
	case !errors.As(err, &e):
		return mesh.Failed
	case !e.Remote && (e.Code.NotStarted() || e.Code == invoke.CodeCancelled):
		return mesh.Abandoned // found here: late, too large, or the caller's body broke off
	case !e.Remote:
		return mesh.Failed
	}
	return toldResult(e.Code)
}

// toldResult is what a peer's own word says about it.
func toldResult(c invoke.Code) mesh.Result {
	switch c {
	case invoke.CodeFailed, invoke.CodeCut, invoke.CodeUnavailable:
		return mesh.Unfit
	case invoke.CodeDeadline:
		return mesh.Late
	case invoke.CodeUnknown:
		return mesh.Abandoned // it concerns a node behind it
	}
	if c.NotStarted() {
		return mesh.Refused // or taken back, for it had not started
	}
	return mesh.Failed
}

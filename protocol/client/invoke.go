package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// dialTimeout bounds the dialling of one node.
const dialTimeout = 5 * time.Second

// Invoke sends r to the mesh and returns when the answer's header is there; the
// body follows. An error is an [*Error], or wraps ErrClosed. ctx governs the
// whole invocation, the answer's body included: when it ends, the function's
// call ends too. Invoke may be called concurrently.
func (c *Client) Invoke(ctx context.Context, r *Request) (*Response, error) {
	call, err := newCall(r, c.retry, &c.ids)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", r.Function, err)
	}
	cancel := context.CancelFunc(func() {})
	if r.Deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.Deadline)
	}
	got, err := c.send(ctx, call)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("invoke %s: %w", r.Function, err)
	}
	if call.body != nil {
		call.body.giveUp()
	}
	call.reply, call.ran = got, c.names.of(got.ranOn())
	return newResponse(ctx, cancel, call), nil
}

// send tries node after node, each once, and a lone one twice.
func (c *Client) send(ctx context.Context, call *call) (reply, error) {
	if c.closed.Load() {
		return reply{}, ErrClosed
	}
	order := c.nodes.order(c.connected)
	var told *Error
	for i := range max(2, len(order)) {
		if i == 1 {
			order = nearFirst(order, 1, c.connected)
		}
		p := order[i%len(order)]
		got, err := c.attempt(ctx, p, call, len(order)-i)
		if err == nil {
			return got, nil
		}
		e := c.failed(ctx, p, call, err)
		told = graver(told, e)
		if lone := len(order) == 1; !c.again(ctx, call, e, lone) {
			break
		}
	}
	told.CallID, told.Attempts = call.wire.CallID, call.attempts
	return reply{}, told
}

// reply is an answer and where it comes from.
type reply struct {
	*invoke.Answer
	node peer.ID
}

// ranOn is the node that ran the function.
func (r reply) ranOn() peer.ID {
	if n := len(r.Hops); n > 0 {
		return r.Hops[n-1].Peer
	}
	return r.node
}

func (c *Client) attempt(ctx context.Context, p peer.ID, call *call, left int) (reply, error) {
	r := call.next(ctx)
	if err := c.reach(ctx, p, left); err != nil {
		return reply{}, fmt.Errorf("%w: %w", invoke.ErrNotReached, err)
	}
	answer, err := c.calls.Invoke(ctx, p, r)
	if err != nil {
		return reply{}, err
	}
	return reply{Answer: answer, node: p}, nil
}

// reach connects to p unless that is done. A node that does not answer takes no
// more than its share of the time that is left for all.
func (c *Client) reach(ctx context.Context, p peer.ID, left int) error {
	if c.connected(p) {
		return nil
	}
	limit := dialTimeout
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/time.Duration(max(left, 1)))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := c.host.Connect(ctx, peer.AddrInfo{ID: p}); err != nil {
		return flat{err}
	}
	return nil
}

func (c *Client) connected(p peer.ID) bool {
	return c.host.Network().Connectedness(p) == network.Connected
}

func (c *Client) failed(ctx context.Context, p peer.ID, call *call, err error) *Error {
	e := failure(ctx, p, err)
	if call.body != nil {
		if cause := call.body.cause(); cause != nil {
			return &Error{Kind: ErrBody, NotStarted: e.NotStarted, Node: e.Node, Err: cause}
		}
	}
	if c.closed.Load() {
		e.Err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	switch {
	case e.Kind == ErrNotReached, e.Kind == ErrUnknownOutcome, e.Code == invoke.CodeDraining:
		c.nodes.demote(p)
	}
	return e
}

// Call is the short form for a function of bytes to bytes: POST body, answer
// read whole. A status outside 200 to 299 is a [*StatusError].
func (c *Client) Call(ctx context.Context, function string, body []byte) ([]byte, error) {
	a, err := c.Invoke(ctx, &Request{Function: function, Method: http.MethodPost, Body: bytes.NewReader(body)})
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", function, err)
	}
	if a.Status < 200 || a.Status > 299 {
		return nil, fmt.Errorf("call %s: %w", function, &StatusError{Status: a.Status, Body: got})
	}
	return got, nil
}

// StatusError is a function's answer that is not a success.
type StatusError struct {
	Status int
	Body   []byte
}

// Error shows the status and the beginning of the body.
func (e *StatusError) Error() string {
	const shown = 200
	return fmt.Sprintf("status %d: %.*s", e.Status, shown, bytes.TrimSpace(e.Body))
}

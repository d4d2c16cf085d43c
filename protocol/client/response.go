package client

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Response is a function's answer. The caller closes Body always.
type Response struct {
	Status int
	Header http.Header
	// Body is never nil. It is read by one goroutine at a time; Close may be
	// called at any time. Its errors are io.EOF, or an *Error that is
	// ErrTruncated (and what cut it: ErrDeadline, ErrCancelled, …).
	Body io.ReadCloser
	// Size is the body's length in bytes, -1 if unknown.
	Size int64
	// Trailer is set once Body has returned io.EOF; nil if there is none.
	Trailer http.Header
	// CallID names the invocation in the mesh's records.
	CallID string
	// Ran is the peer ID of the node that ran the function.
	Ran string
	// Hops are the nodes on the way and how long each took, the one that was
	// asked first, the one that ran it last.
	Hops []invoke.Hop
}

// newResponse is made of c's own memory, once.
func newResponse(ctx context.Context, cancel context.CancelFunc, c *call) *Response {
	a, r := &c.reply, &c.response
	*r = Response{
		Status: a.Status,
		Header: fromWire(a.Header, c.values[:]),
		Size:   a.Size,
		CallID: c.wire.CallID,
		Ran:    c.ran,
		Hops:   a.Hops,
		Body:   &c.answer,
	}
	c.answer = answerBody{ctx: ctx, cancel: cancel, call: c, reply: a, response: r}
	return r
}

// answerBody turns each way in which an answer can be cut into ErrTruncated.
type answerBody struct {
	ctx      context.Context
	cancel   context.CancelFunc
	call     *call
	reply    *reply
	response *Response
	err      error // what Read returns from now on; used by Read alone
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.reply.Body.Read(p)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		b.end()
	} else {
		b.err = b.truncated(err)
	}
	return n, b.err
}

func (b *answerBody) end() {
	b.err = io.EOF
	if b.reply.Trailer == nil {
		return
	}
	if t := b.reply.Trailer(); len(t) > 0 {
		b.response.Trailer = fromWire(t, nil)
	}
}

func (b *answerBody) truncated(err error) error {
	cause := failure(b.ctx, b.reply.node, err)
	return &Error{
		Kind:     ErrTruncated,
		Code:     cause.Code,
		Text:     cause.Text,
		Node:     cause.Node,
		CallID:   b.call.wire.CallID,
		Attempts: b.call.attempts,
		Err:      cause,
	}
}

func (b *answerBody) Close() error {
	err := b.reply.Body.Close()
	b.cancel()
	return err
}

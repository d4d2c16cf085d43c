package main

import (
	"context"
	"errors"
	"io"
	"time"
)

const (
	// deadlineGrace is how much longer than its deadline a call may take until it
	// is given up here: the node's own answer, 504, says more.
	deadlineGrace = 2 * time.Second
	// largeBody is from where a body waits for the node's "100 Continue", so that
	// a refusal is read before the body is sent in vain.
	largeBody = 1 << 20
)

func invokeOverHTTP(ctx context.Context, t *target, c *invocation) (*answer, error) {
	node, err := t.remote()
	if err != nil {
		return nil, err
	}
	ctx, cancel := withDeadline(ctx, c.deadline)
	r, err := node.request(ctx, c.method, c.prefix+c.function.String()+c.path, c.query, c.body)
	if err != nil {
		cancel()
		return nil, err
	}
	r.Header = c.header
	r.Host = c.header.Get("Host")
	if c.body != nil {
		r.ContentLength = c.size
	}
	if c.deadline > 0 {
		r.Header.Set("X-P2pfaas-Deadline", c.deadline.String())
	}
	if c.size > largeBody {
		r.Header.Set("Expect", "100-continue")
	}
	res, err := node.send(r)
	if err != nil {
		err = explain(ctx, err)
		cancel()
		return nil, err
	}
	return &answer{
		proto: res.Proto, status: res.StatusCode, header: res.Header,
		body: &closer{ReadCloser: res.Body, then: cancel},
	}, nil
}

func withDeadline(ctx context.Context, deadline time.Duration) (context.Context, context.CancelFunc) {
	if deadline == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, deadline+deadlineGrace)
}

func explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errors.New("no answer within --deadline, and none from the node either")
	case ctx.Err() != nil:
		return errors.New("interrupted")
	}
	return err
}

// closer does something more when it is closed.
type closer struct {
	io.ReadCloser
	then func()
}

func (c *closer) Close() error {
	defer c.then()
	return c.ReadCloser.Close()
}

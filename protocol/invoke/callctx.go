package invoke

import (
	"context"
	"errors"
	"sync"
	"time"
)

// callCtx is the context of an invocation that arrived. The stream's timer ends
// it at its deadline, so it has none of its own, and what package context needs
// is made when somebody asks for it: a handler that only calls AfterFunc, Err and
// Deadline costs it nothing.
type callCtx struct {
	deadline time.Time // zero for none

	mu    sync.Mutex  // guards what follows
	cause error       // set: it has ended
	std   stdCtx      // ends with it
	hooks []*ctxHook  // not yet run
	room  [1]*ctxHook // memory of hooks
	first ctxHook     // memory of the first
}

// stdCtx is one of package context, which alone knows how to tell a cause.
type stdCtx struct {
	context.Context
	cancel context.CancelCauseFunc
}

type ctxHook struct {
	c *callCtx
	f func() // nil once it was stopped
}

var _ context.Context = (*callCtx)(nil)

// Deadline implements context.Context.
func (c *callCtx) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done implements context.Context.
func (c *callCtx) Done() <-chan struct{} { return c.standard().Done() }

// Value implements context.Context; context.Cause asks for one.
func (c *callCtx) Value(key any) any { return c.standard().Value(key) }

func (c *callCtx) standard() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.std.Context == nil {
		c.std.Context, c.std.cancel = context.WithCancelCause(context.Background())
		if c.cause != nil {
			c.std.cancel(c.cause)
		}
	}
	return c.std.Context
}

// Err implements context.Context.
func (c *callCtx) Err() error {
	switch cause := c.why(); {
	case cause == nil:
		return nil
	case errors.Is(cause, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// why is the cause of its end, nil before.
func (c *callCtx) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// end is what a CancelCauseFunc does; the first cause counts.
func (c *callCtx) end(cause error) {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return
	}
	c.cause = cause
	hooks, std := c.hooks, c.std
	c.hooks = nil
	c.mu.Unlock()
	if std.cancel != nil {
		std.cancel(cause)
	}
	for _, h := range hooks {
		if h.f != nil {
			go h.f()
		}
	}
}

// AfterFunc is context.AfterFunc, which looks for it.
func (c *callCtx) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		go f()
		return func() bool { return false }
	}
	h := &c.first
	if h.c != nil {
		h = new(ctxHook)
	}
	h.c, h.f = c, f
	c.hooks = append(c.hooks, h)
	return h.stop
}

func (h *ctxHook) stop() bool {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	stopped := h.c.cause == nil && h.f != nil
	if stopped {
		h.f = nil
	}
	return stopped
}

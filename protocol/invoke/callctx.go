package invoke

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// callCtx is the context of an invocation that arrived. The stream's timer ends
// it at its deadline, so it has none of its own, and what package context needs
// is made when somebody asks for it: a handler that only calls Watch, Err and
// Deadline costs it nothing.
type callCtx struct {
	deadline time.Time // zero for none

	mu    sync.Mutex // guards what follows
	cause error      // set: it has ended
	std   stdCtx     // ends with it
	told  []watcher  // at the end
	room  [1]watcher // memory of told
}

// watcher is told of an end on a goroutine of its own.
type watcher = interface{ Interrupt() }

// stdCtx is one of package context, which alone knows how to tell a cause.
type stdCtx struct {
	context.Context
	cancel context.CancelCauseFunc
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
	told, std := c.told, c.std
	c.told = nil
	c.mu.Unlock()
	if std.cancel != nil {
		std.cancel(cause)
	}
	for _, w := range told {
		go w.Interrupt()
	}
}

// Watch has w interrupted at the end, unless it is taken back before. It takes no
// memory, as AfterFunc does.
func (c *callCtx) Watch(w watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		go w.Interrupt()
		return
	}
	c.told = append(c.told, w)
}

// Unwatch takes a Watch back; false if it was too late, or there was none.
func (c *callCtx) Unwatch(w watcher) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.told, w)
	if i < 0 {
		return false
	}
	c.told = slices.Delete(c.told, i, i+1)
	return true
}

// AfterFunc is context.AfterFunc, which looks for it.
func (c *callCtx) AfterFunc(f func()) (stop func() bool) {
	w := &afterFunc{f}
	c.Watch(w)
	return func() bool { return c.Unwatch(w) }
}

type afterFunc struct{ f func() }

func (a *afterFunc) Interrupt() { a.f() }

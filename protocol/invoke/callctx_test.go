package invoke

import (
	"context"
	"errors"
	"testing"
	"time"
)

// What package context promises of its own contexts holds, whichever way the end
// is asked for, before it and after it.
func TestCallCtx(t *testing.T) {
	deadline := &Error{Code: CodeDeadline, Err: context.DeadlineExceeded}
	cancelled := &Error{Code: CodeCancelled}
	for name, c := range map[string]struct {
		cause *Error
		err   error
	}{
		"cancelled":  {cancelled, context.Canceled},
		"in no time": {deadline, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			for _, early := range []bool{true, false} {
				ctx := &callCtx{}
				if early { // made before the end
					child, stop := context.WithCancel(ctx)
					defer stop()
					ctx.end(c.cause)
					<-child.Done()
				}
				ctx.end(c.cause)
				ctx.end(&Error{Code: CodeFailed})
				<-ctx.Done()
				if !errors.Is(ctx.Err(), c.err) || ctx.Err() != c.err { //nolint:errorlint // callers compare
					t.Errorf("Err is %v", ctx.Err())
				}
				if cause := context.Cause(ctx); cause != error(c.cause) { //nolint:errorlint // the very one
					t.Errorf("the cause is %v", cause)
				}
				child, stop := context.WithTimeout(ctx, time.Hour)
				defer stop()
				if child.Err() == nil || !errors.Is(context.Cause(child), c.cause) {
					t.Errorf("a child ends with %v, cause %v", child.Err(), context.Cause(child))
				}
			}
		})
	}
}

func TestCallCtxHooks(t *testing.T) {
	ctx := &callCtx{}
	ran := make(chan string, 3)
	hook := func(name string) func() { return func() { ran <- name } }
	stops := []func() bool{ctx.AfterFunc(hook("first")), ctx.AfterFunc(hook("second")), context.AfterFunc(ctx, hook("third"))}
	if !stops[1]() || stops[1]() {
		t.Error("a hook is stopped once")
	}
	ctx.end(context.Canceled)
	got := map[string]bool{<-ran: true, <-ran: true}
	if !got["first"] || !got["third"] {
		t.Errorf("%v ran", got)
	}
	for i, stop := range stops {
		if stop() {
			t.Errorf("hook %d is stopped after it ran", i)
		}
	}
	if ctx.AfterFunc(hook("late"))() {
		t.Error("a late hook is stopped")
	}
	if name := <-ran; name != "late" {
		t.Errorf("%s ran", name)
	}
}

// A handler that only watches makes no context of package context, nor anything else.
func TestCallCtxAllocates(t *testing.T) {
	var w nobody
	allocs := testing.AllocsPerRun(100, func() {
		ctx := callCtx{}
		ctx.told = ctx.room[:0]
		ctx.Watch(&w)
		_, _ = ctx.Deadline()
		_ = ctx.Err()
		ctx.Unwatch(&w)
		ctx.end(context.Canceled)
	})
	if allocs > 1 { // itself
		t.Errorf("%v allocations", allocs)
	}
}

type nobody struct{}

func (*nobody) Interrupt() {}

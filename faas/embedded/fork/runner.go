package fork

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

const (
	// HoldBack is how much output is kept before the answer's header is sent.
	HoldBack = watchdog.HoldBack
	// ExitTrailer says in an answer's trailer how the process failed.
	ExitTrailer = watchdog.ExitTrailer
)

// Runner runs one function.
type Runner struct {
	Command  child.Command // the request's variables are added to Env
	Spawner  *child.Spawner
	Log      *child.Log
	Settings watchdog.Settings
	// Released is called for every call of Invoke, when it fails or else when
	// its process has ended and the answer was closed. Nil: nothing is.
	Released func()

	mu       sync.Mutex // guards what follows
	closed   bool
	inflight int
	calls    map[*call]struct{} // that have a process
}

// Invoke starts a process for r.
func (f *Runner) Invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	resp, err := f.invoke(ctx, r)
	if err != nil {
		f.released()
	}
	return resp, err
}

func (f *Runner) released() {
	if f.Released != nil {
		f.Released()
	}
}

func (f *Runner) invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	if !f.admit() {
		return watchdog.TooMany(f.Settings.MaxInflight, f.released), nil
	}
	c, err := f.begin(ctx, r)
	if err != nil {
		f.leave(nil)
		return nil, fmt.Errorf("call function: %w: %w", faas.ErrNotStarted, err)
	}
	resp, err := c.answer()
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	c.release = f.released
	return resp, nil
}

// begin starts a process for r.
func (f *Runner) begin(ctx context.Context, r *faas.Request) (*call, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var env []string
	if f.Settings.CGIHeaders {
		var err error
		if env, err = watchdog.Environ(r); err != nil {
			return nil, err
		}
	}
	c, err := f.start(r, env)
	if err != nil {
		f.Log.Print("", watchdog.Forking+"\n"+watchdog.Failed(err.Error()))
		return nil, err
	}
	c.watch(ctx)
	if !f.join(c) {
		c.kill(watchdog.ErrRemoved)
	}
	go c.feed()
	go c.await()
	return c, nil
}

// Close kills the processes under way. It does not wait for their callers.
func (f *Runner) Close() {
	f.mu.Lock()
	f.closed = true
	calls := slices.Collect(maps.Keys(f.calls))
	f.mu.Unlock()
	for _, c := range calls {
		c.kill(watchdog.ErrRemoved)
	}
}

// admit counts a call in, unless there are as many as max_inflight allows.
func (f *Runner) admit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if most := f.Settings.MaxInflight; most > 0 && f.inflight >= most {
		return false
	}
	f.inflight++
	return true
}

// join makes a call known to Close, or returns false after it.
func (f *Runner) join(c *call) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	if f.calls == nil {
		f.calls = make(map[*call]struct{})
	}
	f.calls[c] = struct{}{}
	return true
}

// leave counts a call out; c is nil if it had no process.
func (f *Runner) leave(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inflight--
	delete(f.calls, c)
}

func (f *Runner) commandLine() string { return strings.Join(f.Command.Args, " ") }

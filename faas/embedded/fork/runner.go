package fork

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

const (
	// HoldBack is how much output is kept before the answer's header is sent.
	HoldBack = 64 << 10
	// ExitTrailer says in an answer's trailer how the process failed.
	ExitTrailer = "X-Exit-Status"
)

// Runner runs one function.
type Runner struct {
	Command child.Command // the request's variables are added to Env
	Spawner *child.Spawner
	Log     *child.Log
	// ContentType of every answer; empty: that of the request.
	ContentType string
	// Timeout kills the process; 0: none.
	Timeout time.Duration
	// Released is called for every call of Invoke, when it fails or else when
	// its process has ended and the answer was closed. Nil: nothing is.
	Released func()

	mu     sync.Mutex // guards what follows
	closed bool
	calls  map[*call]struct{}
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

// Close kills the processes under way. It does not wait for their callers.
func (f *Runner) Close() {
	f.mu.Lock()
	f.closed = true
	calls := slices.Collect(maps.Keys(f.calls))
	f.mu.Unlock()
	for _, c := range calls {
		c.kill(errRemoved)
	}
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

func (f *Runner) leave(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, c)
}

func (f *Runner) invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("call function: %w: %w", faas.ErrNotStarted, context.Cause(ctx))
	}
	env, err := environ(r)
	if err != nil {
		return nil, fmt.Errorf("call function: %w: %w", faas.ErrNotStarted, err)
	}
	c, err := f.start(env)
	if err != nil {
		return nil, fmt.Errorf("call function: %w: %w", faas.ErrNotStarted, err)
	}
	c.watch(ctx, f.Timeout)
	if !f.join(c) {
		c.kill(errRemoved)
	}
	go c.feed(r)
	go c.await()
	streaming := streams(f.ContentType, r.Header)
	resp, err := c.answer(r, streaming)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	if ct := f.contentType(r.Header, streaming); ct != "" {
		resp.Header.Set("Content-Type", ct)
	}
	c.release = f.released
	return resp, nil
}

// start opens the three pipes and starts the process on them.
func (f *Runner) start(env []string) (*call, error) {
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	output, out, err := os.Pipe()
	if err != nil {
		closeAll(in, feed)
		return nil, err
	}
	errs, logged, err := f.Log.Pipe()
	if err != nil {
		closeAll(in, feed, output, out)
		return nil, err
	}
	cmd := f.Command
	cmd.Env = append(slices.Clip(cmd.Env), env...)
	cmd.Files = [3]*os.File{in, out, errs}
	p, err := f.Spawner.Start(cmd)
	closeAll(in, out, errs)
	if err != nil {
		closeAll(feed, output)
		logged()
		return nil, err
	}
	return &call{runner: f, process: p, input: feed, output: output, logged: logged, exited: make(chan struct{})}, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

func (f *Runner) contentType(h faas.Header, streaming bool) string {
	if f.ContentType != "" {
		return f.ContentType
	}
	if streaming {
		return eventType(h.Get("Accept"))
	}
	return h.Get("Content-Type")
}

// streams tells whether the answer is passed on as it is written.
func streams(contentType string, h faas.Header) bool {
	if contentType != "" {
		return eventType(contentType) != ""
	}
	return eventType(h.Get("Accept")) != ""
}

// eventType is the media type of an event stream that s names, "" if none.
func eventType(s string) string {
	for _, t := range []string{"text/event-stream", "application/x-ndjson"} {
		if strings.Contains(strings.ToLower(s), t) {
			return t
		}
	}
	return ""
}

package embedded

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/fork"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
	"github.com/p2pfaas/p2pfaas/faas/embedded/process"
)

// backend runs one deployment.
type backend interface {
	// invoke runs the function. The deployment is told once that the invocation
	// is over: when it fails, or when its answer is closed.
	invoke(ctx context.Context, r *faas.Request) (*faas.Response, error)
	scale(n int)
	state() backendState
	// close ends all, also calls under way, and waits.
	close()
}

type backendState struct {
	replicas, available int
	coldStart           time.Duration
	failure             string
	restarts            string // how often and why its processes were started again
}

// kept runs processes that serve HTTP.
type kept struct {
	group    *process.Group
	over     func()
	patience time.Duration // for the first readiness
}

func (k kept) invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	e, err := k.group.Acquire(ctx)
	if err != nil {
		k.over()
		return nil, err
	}
	resp, err := e.Client.Do(ctx, r, e.Release)
	if err != nil && ctx.Err() == nil {
		if how := e.Died(); how != "" {
			err = fmt.Errorf("%w with %s (%w)", faas.ErrEnded, how, err)
		}
	}
	return resp, err
}

func (k kept) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.patience)
	defer cancel()
	s := k.group.AwaitReady(ctx)
	switch {
	case s.Ready > 0 || s.Replicas == 0:
		return nil
	case s.Failure != "":
		return fmt.Errorf("it %s", s.Failure)
	}
	return fmt.Errorf("it was not ready within %v", k.patience)
}

func (k kept) scale(n int) { k.group.Scale(n) }
func (k kept) close()      { k.group.Close() }

func (k kept) state() backendState {
	s := k.group.State()
	b := backendState{replicas: s.Replicas, available: s.Ready, coldStart: s.ColdStart, failure: s.Failure}
	if s.Restarts > 0 && s.Failure == "" {
		b.restarts = fmt.Sprintf("processes started again: %d, the last as it %s", s.Restarts, s.Restarted)
	}
	return b
}

// counter is the replicas of what has no processes of its own: they are only
// counted, and the first invocation makes none one.
type counter struct{ n atomic.Int64 }

func (c *counter) scale(n int) { c.n.Store(int64(n)) }

func (c *counter) wake() {
	if c.n.Load() == 0 {
		c.n.CompareAndSwap(0, 1)
	}
}

func (c *counter) state() backendState {
	n := int(c.n.Load())
	return backendState{replicas: n, available: n}
}

// forked runs a process per request.
type forked struct {
	counter
	runner *fork.Runner
}

func (f *forked) invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	f.wake()
	return f.runner.Invoke(ctx, r)
}

func (f *forked) close() { f.runner.Close() }

// remote calls what runs already.
type remote struct {
	counter
	client *httpcall.Client
	over   func()
}

func (e *remote) invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	e.wake()
	return e.client.Do(ctx, r, e.over)
}

func (e *remote) close() { _ = e.client.Close() }

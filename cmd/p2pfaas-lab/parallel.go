package main

import (
	"context"
	"sync"
)

// runner runs trials, several at a time.
type runner struct {
	workers int
	do      func(ctx context.Context, t *trial) (*outcome, error)
	// ended is told of each trial that has ended, from any goroutine; may be nil.
	ended func()
}

// run calls emit for each outcome in the order of the trials, from one
// goroutine. If ctx ends, what is done already is still emitted, and the error
// is errInterrupted. The first trial that fails ends all.
func (r *runner) run(ctx context.Context, trials []trial, emit func(*outcome) error) error {
	within, cancel := context.WithCancelCause(ctx)
	results := make([]chan *outcome, len(trials))
	for i := range results {
		results[i] = make(chan *outcome, 1)
	}
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel(nil)
	next := make(chan int)
	for range min(r.workers, len(trials)) {
		all.Go(func() {
			for i := range next {
				results[i] <- r.one(within, cancel, &trials[i])
			}
		})
	}
	all.Go(func() {
		defer close(next)
		for i := range trials {
			select {
			case next <- i:
			case <-within.Done():
				results[i] <- nil
			}
		}
	})
	missing := false
	for _, c := range results {
		o := <-c
		if o == nil {
			missing = true
		} else if err := emit(o); err != nil {
			return err
		}
	}
	return why(ctx, within, missing)
}

// one is what a trial has brought, nil if it was not done.
func (r *runner) one(ctx context.Context, fail context.CancelCauseFunc, t *trial) *outcome {
	if ctx.Err() != nil {
		return nil
	}
	o, err := r.do(ctx, t)
	if err != nil {
		fail(err) // of several the first one counts
		return nil
	}
	if r.ended != nil {
		r.ended()
	}
	return o
}

// why is the reason for trials that were not done.
func why(ctx, within context.Context, missing bool) error {
	switch {
	case !missing:
		return nil
	case ctx.Err() != nil:
		return errInterrupted
	}
	return context.Cause(within)
}

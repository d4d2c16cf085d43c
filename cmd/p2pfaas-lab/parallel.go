package main

import (
	"context"
	"errors"
	"sync"
)

// runner runs trials, several at a time.
type runner struct {
	workers int
	do      func(ctx context.Context, t *trial) (*outcome, error)
	// ended is told of each trial that has ended, from any goroutine; may be nil.
	ended func()
}

// result is what became of a trial; neither field is set if it was not begun.
type result struct {
	outcome *outcome
	err     error
}

// run calls emit for each outcome in the order of the trials, from one
// goroutine. If ctx ends, what is done already is still emitted, and the error
// is errInterrupted.
func (r *runner) run(ctx context.Context, trials []trial, emit func(*outcome) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]chan result, len(trials))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel(nil) // before the wait
	next := make(chan int)
	for range min(r.workers, len(trials)) {
		all.Go(func() {
			for i := range next {
				results[i] <- r.one(ctx, &trials[i])
			}
		})
	}
	all.Go(func() {
		defer close(next)
		for i := range trials {
			select {
			case next <- i:
			case <-ctx.Done():
				results[i] <- result{}
			}
		}
	})
	return collect(ctx, results, emit)
}

func (r *runner) one(ctx context.Context, t *trial) result {
	if ctx.Err() != nil {
		return result{}
	}
	o, err := r.do(ctx, t)
	if r.ended != nil {
		r.ended()
	}
	return result{o, err}
}

// collect emits in order and returns the first error that is not the
// interruption itself.
func collect(ctx context.Context, results []chan result, emit func(*outcome) error) error {
	missing := false
	for _, c := range results {
		got := <-c
		switch {
		case got.outcome != nil:
			if err := emit(got.outcome); err != nil {
				return err
			}
		case got.err != nil && !errors.Is(got.err, context.Canceled):
			return got.err
		default:
			missing = true
		}
	}
	if missing {
		return errInterrupted
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

func trialsOf(n int) []trial {
	list := make([]trial, n)
	for i := range list {
		list[i].seed = uint64(i)
	}
	return list
}

func outcomeOfSeed(seed uint64) *outcome { return &outcome{Result: sim.Result{Seed: seed}} }

func TestRunnerKeepsOrder(t *testing.T) {
	first := make(chan struct{})
	r := runner{workers: 4, do: func(_ context.Context, t *trial) (*outcome, error) {
		if t.seed == 0 {
			<-first // the first ends last of its four
		} else if t.seed == 3 {
			close(first)
		}
		return outcomeOfSeed(t.seed), nil
	}}
	next := uint64(0)
	err := r.run(t.Context(), trialsOf(20), func(o *outcome) error {
		if o.Seed != next {
			t.Errorf("%d came when it was the turn of %d", o.Seed, next)
		}
		next++
		return nil
	})
	if err != nil || next != 20 {
		t.Errorf("%d came: %v", next, err)
	}
}

// TestRunnerInterrupted: what was done is kept.
func TestRunnerInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := runner{workers: 1, do: func(ctx context.Context, t *trial) (*outcome, error) {
		if t.seed < 3 {
			return outcomeOfSeed(t.seed), nil
		}
		cancel()
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}}
	done := 0
	err := r.run(ctx, trialsOf(50), func(*outcome) error { done++; return nil })
	if !errors.Is(err, errInterrupted) || done != 3 {
		t.Errorf("%d came: %v", done, err)
	}
}

// TestRunnerFails: one failure ends all.
func TestRunnerFails(t *testing.T) {
	broken := errors.New("broken")
	var begun atomic.Int32
	r := runner{workers: 1, do: func(ctx context.Context, t *trial) (*outcome, error) {
		begun.Add(1)
		if t.seed == 2 {
			return nil, broken
		}
		return outcomeOfSeed(t.seed), nil
	}}
	done := 0
	err := r.run(t.Context(), trialsOf(1000), func(*outcome) error { done++; return nil })
	if !errors.Is(err, broken) || done != 2 {
		t.Errorf("%d came: %v", done, err)
	}
	if n := begun.Load(); n != 3 {
		t.Errorf("%d were begun, want none after the failure", n)
	}
}

package cell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/path"
)

// Measure warms the path and loads it. What is lost while it warms counts too.
func Measure(ctx context.Context, c path.Client, l Load, bodies *Bodies, m Meter) (Result, error) {
	r := newRun(c, l, bodies)
	r.bounded(ctx, l.Warm)
	warm := r.result()
	runtime.GC()
	var before, after usage
	if err := errors.Join(before.readObjs(m), before.readCPU(m)); err != nil {
		return Result{}, err
	}
	r.bounded(ctx, l.Time)
	if err := errors.Join(after.readCPU(m), after.readObjs(m)); err != nil {
		return Result{}, err
	}
	res := r.result()
	after.since(before).share(&res)
	res.Lost += warm.Lost
	res.Loss = cmp.Or(warm.Loss, res.Loss)
	return res, ctx.Err()
}

// bounded loads for so long and waits for the last answers, but not for ever.
func (r *run) bounded(ctx context.Context, length time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, length+Patience)
	defer cancel()
	r.load(ctx, until(length))
}

// until gives each caller so long, and one call at least.
func until(length time.Duration) func(made int, now time.Time) bool {
	end := time.Now().Add(length)
	return func(made int, now time.Time) bool { return made == 0 || now.Before(end) }
}

// Endure makes a number of calls, and measures neither processors nor
// allocations.
func Endure(ctx context.Context, c path.Client, l Load, calls int, bodies *Bodies) (Result, error) {
	r := newRun(c, l, bodies)
	r.forget = true
	share := (calls + l.AtOnce - 1) / l.AtOnce
	r.load(ctx, func(made int, _ time.Time) bool { return made < share })
	return r.result(), ctx.Err()
}

// usage is what a Meter reads.
type usage struct {
	clientCPU, hopCPU   time.Duration
	clientObjs, hopObjs float64
}

func (u *usage) readObjs(m Meter) (err error) {
	if u.clientObjs, u.hopObjs, err = m.Allocations(); err != nil {
		return fmt.Errorf("read allocations: %w", err)
	}
	return nil
}

func (u *usage) readCPU(m Meter) (err error) {
	if u.clientCPU, u.hopCPU, err = m.CPU(); err != nil {
		return fmt.Errorf("read processor time: %w", err)
	}
	return nil
}

func (u usage) since(v usage) usage {
	hopObjs := u.hopObjs - v.hopObjs
	if u.hopObjs < 0 {
		hopObjs = -1
	}
	return usage{u.clientCPU - v.clientCPU, u.hopCPU - v.hopCPU, u.clientObjs - v.clientObjs, hopObjs}
}

// enough calls drown what a node's count of objects is late by: up to a span of
// each size.
const enough = 500

// share divides what was used by the calls.
func (u usage) share(res *Result) {
	if res.Calls == 0 {
		return
	}
	n := float64(res.Calls)
	res.ClientCPU = time.Duration(float64(u.clientCPU) / n)
	res.HopCPU = time.Duration(float64(u.hopCPU) / n)
	res.ClientObjs, res.HopObjs = u.clientObjs/n, u.hopObjs/n
	if res.Calls < enough || u.hopObjs < 0 {
		res.ClientObjs, res.HopObjs = -1, -1
	}
}

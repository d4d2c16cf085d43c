package cell

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/path"
)

// run is a load under way.
type run struct {
	via     path.Client
	bodies  *Bodies
	size    int
	forget  bool // keep only the latest times
	begun   atomic.Int64
	callers []caller
	took    time.Duration
}

// caller is one of those who call.
type caller struct {
	exchange *path.Exchange
	made     int
	times    []time.Duration // of those that were answered
	lost     int
	loss     error
}

// kept is how many times a caller has room for at first, and keeps if it is to
// forget.
const kept = 1 << 12

func newRun(c path.Client, l Load, bodies *Bodies) *run {
	r := &run{via: c, bodies: bodies, size: l.Body, callers: make([]caller, l.AtOnce)}
	for i := range r.callers {
		r.callers[i] = caller{exchange: path.NewExchange(), times: make([]time.Duration, 0, kept)}
	}
	return r
}

// load lets each caller call as long as goOn says, which is told how many calls it
// has made and the time. It forgets what was measured before.
func (r *run) load(ctx context.Context, goOn func(made int, now time.Time) bool) {
	began := time.Now()
	var all sync.WaitGroup
	for i := range r.callers {
		c := &r.callers[i]
		c.made, c.times, c.lost, c.loss = 0, c.times[:0], 0, nil
		all.Go(func() { c.call(ctx, r, goOn) })
	}
	all.Wait()
	r.took = time.Since(began)
}

func (c *caller) call(ctx context.Context, r *run, goOn func(int, time.Time) bool) {
	for now := time.Now(); goOn(c.made, now) && ctx.Err() == nil; {
		c.exchange.Begin(r.bodies.body(r.size, int(r.begun.Add(1))))
		began := now
		err := r.via.Call(ctx, c.exchange)
		if err == nil {
			err = c.exchange.Whole()
		}
		now = time.Now()
		c.note(now.Sub(began), err, r.forget)
	}
}

func (c *caller) note(took time.Duration, err error, forget bool) {
	c.made++
	switch {
	case err != nil:
		c.lost++
		if c.loss == nil {
			c.loss = err
		}
	case forget && len(c.times) == kept:
		c.times[c.made%kept] = took
	default:
		c.times = append(c.times, took)
	}
}

func (r *run) result() Result {
	var res Result
	var times []time.Duration
	for _, c := range r.callers {
		times = append(times, c.times...)
		res.Calls += c.made - c.lost
		res.Lost += c.lost
		if c.loss != nil && res.Loss == "" {
			res.Loss = c.loss.Error()
		}
	}
	if len(times) == 0 {
		return res
	}
	slices.Sort(times)
	res.P50, res.P99 = quantile(times, .5), quantile(times, .99)
	res.Rate = float64(res.Calls) / r.took.Seconds()
	return res
}

// quantile of sorted times; nearest rank.
func quantile(sorted []time.Duration, q float64) time.Duration {
	i := int(q * float64(len(sorted)))
	return sorted[min(i, len(sorted)-1)]
}

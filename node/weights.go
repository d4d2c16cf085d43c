package node

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/faas"
)

// weighPeriod is the time between two samples.
const weighPeriod = time.Second

// weigher measures, once a second, what the functions weigh that do not say so.
// A weight is of use to invocations that come later: those that hold a server
// or wait for one keep the weight with which they came.
type weigher struct {
	functions *functions
	clock     func() time.Duration
	machine   machine
	cancel    context.CancelFunc // nil before start
	running   sync.WaitGroup
}

// start begins to measure with what m knows; close ends it.
func (w *weigher) start(m faas.Meter) {
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.Background())
	w.running.Go(func() { w.run(ctx, m) })
}

// close waits until nothing is measured any more. It is idempotent.
func (w *weigher) close() {
	if w.cancel != nil {
		w.cancel()
	}
	w.running.Wait()
}

// run ends with ctx.
func (w *weigher) run(ctx context.Context, m faas.Meter) {
	ticker := time.NewTicker(weighPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.weigh(m, w.machine.full())
		case <-ctx.Done():
			return
		}
	}
}

func (w *weigher) weigh(m faas.Meter, full bool) {
	for _, fn := range *w.functions.current.Load() {
		if fn.demand == nil || !fn.demand.due(w.clock()) {
			continue
		}
		if cpu, ok := m.CPUTime(fn.name); ok {
			fn.demand.take(w.clock(), cpu, full)
		}
	}
}

// weightGauge shows what the functions weigh, as they are deployed when
// somebody asks.
type weightGauge struct{ functions *functions }

var weightDesc = prometheus.NewDesc("p2pfaas_function_weight",
	"Share of a server that a new invocation takes, by function.", []string{"function"}, nil)

func (weightGauge) Describe(to chan<- *prometheus.Desc) { to <- weightDesc }

func (g weightGauge) Collect(to chan<- prometheus.Metric) {
	for id, fn := range *g.functions.current.Load() {
		to <- prometheus.MustNewConstMetric(weightDesc, prometheus.GaugeValue, fn.weighs(), id)
	}
}

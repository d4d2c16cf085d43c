package async

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// counts are what happened since the start.
type counts struct {
	attempts, failures, refusals atomic.Int64
	done, dead                   atomic.Int64
	delivered, undelivered       atomic.Int64
}

func (c *counts) outcome(v verdict) {
	switch {
	case v.state == async.Done:
		c.done.Add(1)
	case v.state == async.Dead:
		c.dead.Add(1)
	case v.counted:
		c.failures.Add(1)
	default:
		c.refusals.Add(1)
	}
}

func (c *counts) callback(err error) {
	if err == nil {
		c.delivered.Add(1)
	} else {
		c.undelivered.Add(1)
	}
}

// states in the order in which they are listed.
var states = []async.State{async.Queued, async.Running, async.Done, async.Dead, async.Cancelled}

// Stats is how many calls there are, by state, and what they take on disk.
type Stats struct {
	Calls  map[async.State]int
	Copies int // of other nodes' calls
	Bytes  int64
}

// Stats of this moment.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Stats{Calls: map[async.State]int{}, Copies: e.copies, Bytes: e.space.taken()}
	for _, state := range states {
		s.Calls[state] = e.byState[state]
	}
	return s
}

var (
	descCalls     = prometheus.NewDesc("p2pfaas_async_calls", "Asynchronous calls that this node holds, by state; copy: kept for others.", []string{"state"}, nil)
	descBytes     = prometheus.NewDesc("p2pfaas_async_bytes", "What asynchronous calls take on disk, by and large.", nil, nil)
	descAttempts  = prometheus.NewDesc("p2pfaas_async_attempts_total", "Attempts of asynchronous calls, by what followed: done, dead, again (counted), refused (not counted).", []string{"outcome"}, nil)
	descCallbacks = prometheus.NewDesc("p2pfaas_async_callbacks_total", "Callbacks posted, by outcome.", []string{"outcome"}, nil)
	descUnsaved   = prometheus.NewDesc("p2pfaas_async_unsaved", "Outcomes that the disk does not take at present.", nil, nil)
)

// Describe implements prometheus.Collector.
func (e *Engine) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descCalls, descBytes, descAttempts, descCallbacks, descUnsaved} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (e *Engine) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v *atomic.Int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v.Load()), labels...)
	}
	s := e.Stats()
	for state, n := range s.Calls {
		gauge(descCalls, float64(n), string(state))
	}
	gauge(descCalls, float64(s.Copies), "copy")
	gauge(descBytes, float64(s.Bytes))
	gauge(descUnsaved, float64(e.unsaved.Load()))
	count(descAttempts, &e.counts.done, "done")
	count(descAttempts, &e.counts.dead, "dead")
	count(descAttempts, &e.counts.failures, "again")
	count(descAttempts, &e.counts.refusals, "refused")
	count(descCallbacks, &e.counts.delivered, "delivered")
	count(descCallbacks, &e.counts.undelivered, "failed")
}

// codeOf is the code that an attempt failed with, 0 if it did not or none was told.
func codeOf(err error) invoke.Code {
	var e *invoke.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

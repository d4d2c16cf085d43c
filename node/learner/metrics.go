package learner

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are what happened since the start.
type counts struct {
	answered, late, unreachable, wrong atomic.Uint64
	told                               atomic.Uint64
}

func (c *counts) asked(err error) {
	var status *statusError
	switch {
	case err == nil:
		c.answered.Add(1)
	case errors.Is(err, context.DeadlineExceeded):
		c.late.Add(1)
	case errors.Is(err, ErrWrong), errors.As(err, &status):
		c.wrong.Add(1)
	default:
		c.unreachable.Add(1)
	}
}

var (
	descAsks    = prometheus.NewDesc("p2pfaas_learner_asks_total", "Questions to the learner elsewhere, by outcome: answered, late, unreachable, wrong.", []string{"outcome"}, nil)
	descRewards = prometheus.NewDesc("p2pfaas_learner_rewards_total", "Rewards for the learner elsewhere, by outcome: told, dropped.", []string{"outcome"}, nil)
)

// Describe implements prometheus.Collector.
func (c *Client) Describe(ch chan<- *prometheus.Desc) {
	ch <- descAsks
	ch <- descRewards
}

// Collect implements prometheus.Collector.
func (c *Client) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), label)
	}
	count(descAsks, c.counts.answered.Load(), "answered")
	count(descAsks, c.counts.late.Load(), "late")
	count(descAsks, c.counts.unreachable.Load(), "unreachable")
	count(descAsks, c.counts.wrong.Load(), "wrong")
	count(descRewards, c.counts.told.Load(), "told")
	c.rewards.mu.Lock()
	dropped := c.rewards.dropped
	c.rewards.mu.Unlock()
	count(descRewards, dropped, "dropped")
}

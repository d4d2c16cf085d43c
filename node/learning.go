package node

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/sched"
)

// learning is how the learning of the policy in force goes, false if it learns
// nothing.
func (b *policyBox) learning() (l sched.Learning, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.policy.(sched.Learner)
	if !ok {
		return l, false
	}
	return p.Learning(), true
}

// learningPeriod is how often it is looked whether who decides has changed.
const learningPeriod = time.Second

// watchLearning logs when the default takes over from what was learned, and
// when it gives back, until ctx ends.
func (n *Node) watchLearning(ctx context.Context) {
	tick := time.NewTicker(learningPeriod)
	defer tick.Stop()
	var before sched.LearningState
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l, ok := n.dispatcher.policy.learning()
		if !ok || l.State == before {
			continue
		}
		before = l.State
		if l.State == sched.Learned {
			log.Infow("what the policy has learned decides again", "policy", n.dispatcher.policy.name(), "fallbacks", l.Fallbacks)
			continue
		}
		log.Warnw("the default decides instead of what the policy has learned", "policy", n.dispatcher.policy.name(),
			"reason", l.State.String(), "on_time", l.OnTime, "on_time_default", l.DefaultOnTime)
	}
}

// learningMetrics shows the learning of the policy in force, while there is one
// that learns.
type learningMetrics struct {
	box                                        *policyBox
	reward, epsilon, onTime, agreement         *prometheus.Desc
	state, fallbacks, outcomes, lost, byAction *prometheus.Desc
	decided                                    *prometheus.Desc
}

func newLearningMetrics(box *policyBox) *learningMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("p2pfaas_learning_"+name, help, labels, nil)
	}
	return &learningMetrics{
		box:       box,
		reward:    desc("reward", "Mean reward of the latest decisions."),
		epsilon:   desc("epsilon", "Share of decisions that explore."),
		onTime:    desc("on_time", "Share on time of the latest decisions, by who decided: what was learned, or the default to compare.", "by"),
		agreement: desc("agreement", "Share of decisions that the default would have made as well."),
		state:     desc("state", "1 for who decides at present: what was learned, or the default, and why.", "state"),
		fallbacks: desc("fallbacks_total", "How often the default took over."),
		outcomes:  desc("outcomes_total", "Outcomes that were learned from."),
		lost:      desc("lost_total", "Outcomes that never came."),
		decided:   desc("decided_total", "Decisions where there was something to decide, by who decided: what was learned, or the default.", "by"),
		byAction:  desc("decisions_total", "Decisions, by action.", "action"),
	}
}

// Describe implements prometheus.Collector.
func (m *learningMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.reward, m.epsilon, m.onTime, m.agreement, m.state, m.fallbacks, m.outcomes, m.lost, m.decided, m.byAction} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *learningMetrics) Collect(to chan<- prometheus.Metric) {
	l, ok := m.box.learning()
	if !ok {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		if value == value { // else there is none yet
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
		}
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	gauge(m.reward, l.Reward)
	gauge(m.epsilon, l.Epsilon)
	gauge(m.onTime, l.OnTime, "learned")
	gauge(m.onTime, l.DefaultOnTime, "default")
	gauge(m.agreement, l.Agreement)
	gauge(m.state, 1, l.State.String())
	counter(m.fallbacks, l.Fallbacks)
	counter(m.outcomes, l.Outcomes)
	counter(m.lost, l.Lost)
	counter(m.decided, l.ByLearned, "learned")
	counter(m.decided, l.ByDefault, "default")
	for _, a := range l.Actions {
		counter(m.byAction, a.Count, a.Action)
	}
}

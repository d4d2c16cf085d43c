package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// measure is one number of a result.
type measure struct {
	name    string // as in the JSON
	meaning string
	of      func(*sim.Result) float64
}

func measures() []measure {
	return []measure{
		{"in_deadline", "share answered in time", func(r *sim.Result) float64 { return r.InDeadline }},
		{"served", "share answered", func(r *sim.Result) float64 { return r.Served }},
		{"refused", "share refused", func(r *sim.Result) float64 { return r.Refused }},
		{"expired", "share given up since it could not be in time", func(r *sim.Result) float64 { return r.Expired }},
		{"lost", "share lost with a node", func(r *sim.Result) float64 { return r.Lost }},
		{"mean_s", "mean response time in seconds", func(r *sim.Result) float64 { return r.Mean }},
		{"p50_s", "median response time in seconds", func(r *sim.Result) float64 { return r.P50 }},
		{"p95_s", "95th percentile of response times in seconds", func(r *sim.Result) float64 { return r.P95 }},
		{"p99_s", "99th percentile of response times in seconds", func(r *sim.Result) float64 { return r.P99 }},
		{"forwarded", "share that ran elsewhere than where it entered", func(r *sim.Result) float64 { return r.Forwarded }},
		{"hops_mean", "moves of what was answered", func(r *sim.Result) float64 { return r.Hops }},
		{"probes", "probes per request", func(r *sim.Result) float64 { return r.Probes }},
		{"pulls", "pulls per request", func(r *sim.Result) float64 { return r.Pulls }},
		{"gossip", "reports per request", func(r *sim.Result) float64 { return r.Gossip }},
		{"jain", "Jain's index over the nodes of in_deadline", func(r *sim.Result) float64 { return r.Jain }},
		{"worst", "the least in_deadline of a node", func(r *sim.Result) float64 { return r.Worst }},
		{"utilisation", "share of the servers' time that they ran", func(r *sim.Result) float64 { return r.Utilisation }},
		{"reward_mean", "mean reward", func(r *sim.Result) float64 { return r.RewardMean }},
		{"decision_ns", "nanoseconds a decision took", func(r *sim.Result) float64 { return r.DecisionNS }},
	}
}

func measureNames() (names []string) {
	for _, m := range measures() {
		names = append(names, m.name)
	}
	return names
}

func measureOf(name string) (measure, error) {
	all := measures()
	if i := slices.IndexFunc(all, func(m measure) bool { return m.name == name }); i >= 0 {
		return all[i], nil
	}
	return measure{}, usagef("there is no measure %q: there are %s", name, strings.Join(measureNames(), ", "))
}

// shown is a value as tables have it.
func (m *measure) shown(x float64) string {
	if m.name == "decision_ns" {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.4f", x)
}

package node

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/faas"
)

// gatewayMetrics are those of OpenFaaS's gateway, by its names, for dashboards
// and alert rules made for it. An invocation counts at the node where it entered
// the mesh, so that the sum over all nodes counts it once. Calls of functions that
// are deployed nowhere do not count: strangers' words are no labels.
type gatewayMetrics struct {
	invocations *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	started     *prometheus.CounterVec
}

func newGatewayMetrics(r *prometheus.Registry) *gatewayMetrics {
	m := &gatewayMetrics{
		invocations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_function_invocation_total",
			Help: "Invocations that entered the mesh here and have ended, by function and HTTP status, as OpenFaaS's gateway counts them.",
		}, []string{"function_name", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gateway_functions_seconds", Buckets: buckets,
			Help: "Time from the arrival of an invocation that entered the mesh here to the end of its answer.",
		}, []string{"function_name", "code"}),
		started: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_function_invocation_started",
			Help: "Invocations that entered the mesh here, by function.",
		}, []string{"function_name"}),
	}
	r.MustRegister(m.invocations, m.seconds, m.started)
	return m
}

// gatewayName is a function as OpenFaaS's gateway labels it: with its namespace.
func gatewayName(function string) string {
	if strings.ContainsRune(function, '.') {
		return function
	}
	return function + "." + faas.DefaultNamespace
}

// replicaGauge shows how many replicas the functions of this node have, as
// OpenFaaS's gateway does.
type replicaGauge struct{ of *dispatcher }

var replicaDesc = prometheus.NewDesc("gateway_service_count",
	"Replicas of a function on this node.", []string{"function_name"}, nil)

// replicaLimit bounds the question for them, which may go to a gateway.
const replicaLimit = 2 * time.Second

func (replicaGauge) Describe(to chan<- *prometheus.Desc) { to <- replicaDesc }

func (g replicaGauge) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), replicaLimit)
	defer cancel()
	list, err := g.of.runtime.List(ctx, "")
	if err != nil {
		return // an outage, which shows elsewhere
	}
	for i := range list {
		to <- prometheus.MustNewConstMetric(replicaDesc, prometheus.GaugeValue, float64(list[i].Replicas), gatewayName(list[i].Name.String()))
	}
}

package node

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// gatewayMetrics are those of OpenFaaS's gateway, by its names, for dashboards
// and alert rules made for it. An invocation counts at the node where it entered
// the mesh, so that the sum over all nodes counts it once. Calls of functions that
// are deployed nowhere do not count: strangers' words are no labels.
type gatewayMetrics struct {
	invocations *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	started     *prometheus.CounterVec

	// With labels are looked up once per function and code.
	begun sync.Map // function → prometheus.Counter
	over  sync.Map // outcome → *outcomeMetrics
}

// outcome is how an invocation of a function ended.
type outcome struct {
	function string // name[.namespace]
	code     int
}

type outcomeMetrics struct {
	invocations prometheus.Counter
	seconds     prometheus.Observer
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

// begin counts an invocation that was admitted.
func (m *gatewayMetrics) begin(inv *invocation) {
	if len(inv.Hops) > 0 {
		return
	}
	c, ok := m.begun.Load(inv.Function)
	if !ok {
		c, _ = m.begun.LoadOrStore(inv.Function, m.started.WithLabelValues(gatewayName(inv.Function)))
	}
	c.(prometheus.Counter).Inc()
}

// end counts an invocation that was answered, or refused, with code.
func (m *gatewayMetrics) end(inv *invocation, code int, took time.Duration) {
	if len(inv.Hops) > 0 || !inv.known {
		return
	}
	key := outcome{inv.Function, code}
	o, ok := m.over.Load(key)
	if !ok {
		name, status := gatewayName(inv.Function), strconv.Itoa(code)
		o, _ = m.over.LoadOrStore(key, &outcomeMetrics{m.invocations.WithLabelValues(name, status), m.seconds.WithLabelValues(name, status)})
	}
	o.(*outcomeMetrics).invocations.Inc()
	o.(*outcomeMetrics).seconds.Observe(took.Seconds())
}

// fail counts an invocation that got no answer.
func (m *gatewayMetrics) fail(inv *invocation, e *invoke.Error, took time.Duration) {
	m.end(inv, gateway.Status(e.Code), took)
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

package node

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what /metrics shows, on a registry of the node's own. Functions
// are labels as far as they are deployed in the mesh; peers never are.
type metrics struct {
	registry    *prometheus.Registry
	invocations *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	forward     prometheus.Histogram
	failures    *prometheus.CounterVec
	asks        *prometheus.CounterVec
	messages    prometheus.Counter // of asks
	given       prometheus.Counter
	probes      prometheus.Counter
	gateway     *gatewayMetrics
	functions   sync.Map // name → *functionMetrics
}

// buckets reach from a warm call next door to the longest deadline by default.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		invocations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pfaas_invocations_total",
			Help: "Invocations that ended at this node, by function, what was last done with them (run, forward, refuse) and outcome.",
		}, []string{"function", "action", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "p2pfaas_invocation_duration_seconds", Buckets: buckets,
			Help: "Time from an invocation's arrival to the end of its answer.",
		}, []string{"function"}),
		forward: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "p2pfaas_forward_duration_seconds", Buckets: buckets,
			Help: "Time from the forward of an invocation to the header of its answer.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pfaas_forward_failures_total",
			Help: "Forwards that brought no answer, by why.",
		}, []string{"code"}),
	}
	m.asks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "p2pfaas_pulls_total",
		Help: "Asks of this node's for work that waits elsewhere, by whether something was handed over.",
	}, []string{"result"})
	m.messages = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pfaas_pull_messages_total",
		Help: "Messages of this node's asks for work: asks, those passed on, and answers that there is nothing.",
	})
	m.probes = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pfaas_probes_total",
		Help: "Peers asked for their load before a decision.",
	})
	m.given = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pfaas_handed_over_total",
		Help: "Invocations that waited here and went to a node that asked for work.",
	})
	m.registry.MustRegister(m.invocations, m.duration, m.forward, m.failures, m.asks, m.messages, m.given, m.probes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gateway = newGatewayMetrics(m.registry)
	return m
}

// asked counts an ask for work and its messages.
func (m *metrics) asked(ok bool, messages int) {
	m.messages.Add(float64(messages))
	result := "nothing"
	if ok {
		result = "handed-over"
	}
	m.asks.WithLabelValues(result).Inc()
}

// gauge shows a value that is read when somebody asks.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// counter shows a count that is kept elsewhere.
func (m *metrics) counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// watch shows the state that the dispatcher keeps.
func (m *metrics) watch(d *dispatcher) {
	m.gauge("p2pfaas_running", "Invocations that hold a server.", func() float64 { return float64(d.slots.holding()) })
	m.gauge("p2pfaas_queue_length", "Invocations that wait for a server.", func() float64 { return float64(d.slots.load().Queued) })
	m.gauge("p2pfaas_wait_seconds", "Time until a newcomer would start.", func() float64 { return d.slots.load().Wait.Seconds() })
	m.gauge("p2pfaas_replay_bytes", "Request bodies kept for another attempt.", func() float64 { return float64(d.budget.used.Load()) })
	m.registry.MustRegister(weightGauge{d.functions}, replicaGauge{d}, newLearningMetrics(d.policy))
	m.gauge("p2pfaas_mesh_utilisation", "Share of the known servers' capacity that arrivals take.", func() float64 { return d.mesh.Utilisation() })
}

// forwarded counts one forward.
func (m *metrics) forwarded(took time.Duration, err error) {
	if err == nil {
		m.forward.Observe(took.Seconds())
		return
	}
	m.failures.WithLabelValues(codeOf(err).String()).Inc()
}

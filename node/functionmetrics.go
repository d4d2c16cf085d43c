package node

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// functionMetrics are those of one function, looked up once by their labels.
type functionMetrics struct {
	of       *metrics
	function string // name[.namespace]
	duration prometheus.Observer
	begun    prometheus.Counter
	ended    [sched.Ask + 1][sched.Cancelled + 1]atomic.Pointer[counter]
	over     sync.Map // HTTP status → *outcomeMetrics
}

type counter struct{ prometheus.Counter }

// outcomeMetrics are those of a function's invocations that ended with one status.
type outcomeMetrics struct {
	invocations prometheus.Counter
	seconds     prometheus.Observer
}

// of is for functions that are deployed, here or in the mesh: strangers' words are
// no labels.
func (m *metrics) of(function string) *functionMetrics {
	f, ok := m.functions.Load(function)
	if !ok {
		function = strings.Clone(function) // it may be a part of a whole header
		f, _ = m.functions.LoadOrStore(function, &functionMetrics{
			of: m, function: function, duration: m.duration.WithLabelValues(function),
			begun: m.gateway.started.WithLabelValues(gatewayName(function)),
		})
	}
	return f.(*functionMetrics)
}

// begin counts an invocation that was admitted.
func (f *functionMetrics) begin(inv *invocation) {
	if len(inv.Hops) == 0 {
		f.begun.Inc()
	}
}

// end counts an invocation whose answer is over.
func (f *functionMetrics) end(inv *invocation, result sched.Result, took time.Duration) {
	f.results(inv.last.Action, result).Inc()
	f.duration.Observe(took.Seconds())
	f.leave(inv, inv.status, took)
}

// results counts what ended so.
func (f *functionMetrics) results(action sched.Action, result sched.Result) prometheus.Counter {
	place := &f.ended[action][result]
	if c := place.Load(); c != nil {
		return c
	}
	c := &counter{f.of.invocations.WithLabelValues(f.function, action.String(), result.String())}
	place.Store(c)
	return c
}

// leave counts an invocation that was answered, or refused, with an HTTP status.
func (f *functionMetrics) leave(inv *invocation, status int, took time.Duration) {
	if len(inv.Hops) > 0 {
		return
	}
	o, ok := f.over.Load(status)
	if !ok {
		name, code, m := gatewayName(f.function), strconv.Itoa(status), f.of.gateway
		o, _ = f.over.LoadOrStore(status, &outcomeMetrics{m.invocations.WithLabelValues(name, code), m.seconds.WithLabelValues(name, code)})
	}
	o.(*outcomeMetrics).invocations.Inc()
	o.(*outcomeMetrics).seconds.Observe(took.Seconds())
}

// unknownFunction is the label of calls for what exists nowhere.
const unknownFunction = "-"

// failed counts an invocation that got no answer.
func (m *metrics) failed(inv *invocation, e *invoke.Error, took time.Duration) {
	function := unknownFunction
	if inv.metrics != nil {
		function = inv.Function
		inv.metrics.leave(inv, gateway.Status(e.Code), took)
	}
	m.invocations.WithLabelValues(function, inv.last.Action.String(), e.Code.String()).Inc()
}

package node

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// gathered are the values of one metric, by its labels; of a histogram its counts.
func gathered(t *testing.T, m *metrics, name string) map[string]float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, one := range f.GetMetric() {
			labels := ""
			for _, l := range one.GetLabel() {
				labels += l.GetName() + "=" + l.GetValue() + " "
			}
			values[labels] = one.GetCounter().GetValue() + one.GetGauge().GetValue() + float64(one.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// TestGatewayMetrics: an invocation counts where it entered the mesh, by what
// its client was told.
func TestGatewayMetrics(t *testing.T) {
	refuse := sched.Decision{Action: sched.Refuse}
	b := newBench(t, nil, runHere, runHere, runHere, refuse, forwardTo("b"))
	b.peers.answers["b"] = answers("from b")
	for range 2 {
		if _, _, err := b.call(t.Context(), invoke.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	b.runtime.failed = fmt.Errorf("no server: %w", faas.ErrUnavailable)
	if _, _, err := b.call(t.Context(), invoke.Request{}); err == nil {
		t.Error("no error")
	}
	if _, _, err := b.call(t.Context(), invoke.Request{Hops: []peer.ID{"x"}}); err != nil {
		t.Fatal(err) // counts at x
	}
	_, _, _ = b.call(t.Context(), invoke.Request{Function: "strangers-word"})
	ended := map[string]float64{"code=200 function_name=fn.openfaas-fn ": 2, "code=503 function_name=fn.openfaas-fn ": 1}
	for name, want := range map[string]map[string]float64{
		"gateway_function_invocation_total":   ended,
		"gateway_functions_seconds":           ended,
		"gateway_function_invocation_started": {"function_name=fn.openfaas-fn ": 3},
	} {
		if diff := cmp.Diff(want, gathered(t, b.metrics, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReplicaGauge(t *testing.T) {
	b := newBench(t, nil)
	b.runtime.status.Replicas = 3
	b.metrics.registry.MustRegister(replicaGauge{b.dispatcher})
	want := map[string]float64{"function_name=fn.openfaas-fn ": 3}
	if diff := cmp.Diff(want, gathered(t, b.metrics, "gateway_service_count")); diff != "" {
		t.Errorf("replicas (-want +got):\n%s", diff)
	}
	b.dispatcher.runtime = downRuntime{b.runtime}
	if got := gathered(t, b.metrics, "gateway_service_count"); len(got) != 0 {
		t.Errorf("replicas in an outage: %v", got)
	}
}

type downRuntime struct{ faas.Runtime }

func (downRuntime) List(context.Context, string) ([]faas.Status, error) {
	return nil, faas.ErrUnavailable
}

func BenchmarkFunctionMetrics(b *testing.B) {
	m := newMetrics()
	inv := &invocation{Request: invoke.Request{Function: "fn"}, status: 200}
	b.ReportAllocs()
	for b.Loop() {
		f := m.of(inv.Function)
		f.begin(inv)
		f.end(inv, sched.Answered, 1e6)
	}
}

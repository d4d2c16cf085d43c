package openfaas_test

import (
	"net/http"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

// TestConformance: with a gateway as it should be, and with each of its traps
// that does not keep it from working.
func TestConformance(t *testing.T) {
	tests := []struct {
		name       string
		options    openfaastest.Options
		prometheus bool
	}{
		{"plain", openfaastest.Options{ScaleFromZero: true}, true},
		{"no Prometheus", openfaastest.Options{ScaleFromZero: true, Success: http.StatusOK}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			faastest.Run(t, func(t *testing.T) faas.Runtime {
				g := gateway(t, tt.options)
				g.SetPrometheus(tt.prometheus)
				return on(t, g)
			}, faastest.Images{Echo: "echo", Sleep: "sleep", Stream: "stream", Trailers: true, WebSocket: true})
		})
	}
}

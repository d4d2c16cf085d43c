package embedded_test

import (
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
)

func TestConformance(t *testing.T) {
	faastest.Run(t, func(t *testing.T) faas.Runtime { return start(t, testConfig(t.TempDir())) },
		faastest.Images{
			Echo: "builtin:echo", Sleep: "builtin:sleep", Stream: "builtin:stream",
			Trailers: true, WebSocket: true,
		})
}

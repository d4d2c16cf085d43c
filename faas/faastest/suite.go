package faastest

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Images are what the suite deploys. Those that are empty leave out what needs
// them.
type Images struct {
	// Echo sends the body back as it arrives, with its content type, the fields
	// that begin with X-Echo- and status ?status=N; with ?cut=N it cuts the
	// answer after N bytes. Required.
	Echo string
	// Sleep answers after the duration ?d=.
	Sleep string
	// Stream sends ?n= events at once as they fall due, ?every= apart, as
	// server-sent events.
	Stream string
	// Trailers: Echo returns the request's trailer.
	Trailers bool
	// WebSocket: Echo echoes WebSocket messages.
	WebSocket bool
}

// Counters are what a function answers at /_/counters, which is not counted.
type Counters struct {
	Started   int64 `json:"started"`
	Finished  int64 `json:"finished"`
	Cancelled int64 `json:"cancelled"`
	InFlight  int64 `json:"in_flight"`
	BytesIn   int64 `json:"bytes_in"`
}

// suite is one Runtime under test.
type suite struct {
	*testing.T
	rt     faas.Runtime
	images Images
}

// Run tests a Runtime by its contract. newRuntime returns one that runs and
// has no deployments; the suite closes it. After each test no goroutine may
// be left.
func Run(t *testing.T, newRuntime func(t *testing.T) faas.Runtime, images Images) {
	tests := []struct {
		name string
		run  func(*suite)
		need bool
	}{
		{"deployments", (*suite).deployments, true},
		{"replace", (*suite).replace, true},
		{"scale", (*suite).scale, true},
		{"unknown function", (*suite).unknown, true},
		{"invalid", (*suite).invalid, true},
		{"bodies", (*suite).bodies, true},
		{"full duplex", (*suite).fullDuplex, true},
		{"cut request", (*suite).cutRequest, true},
		{"headers", (*suite).headers, true},
		{"no body", (*suite).noBody, true},
		{"cut answer", (*suite).cutAnswer, true},
		{"closed early", (*suite).closedEarly, true},
		{"concurrency", (*suite).concurrency, true},
		{"cancel before", (*suite).cancelBefore, true},
		{"remove waits", (*suite).removeWaits, images.Sleep != ""},
		{"cancel", (*suite).cancel, images.Sleep != ""},
		{"events", (*suite).events, images.Stream != ""},
		{"trailers", (*suite).trailers, images.Trailers},
		{"websocket", (*suite).webSocket, images.WebSocket},
		{"closed", (*suite).closed, true},
	}
	for _, tt := range tests {
		if !tt.need {
			continue // the runtime has no image for it
		}
		t.Run(tt.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) })
			s := &suite{t, newRuntime(t), images}
			t.Cleanup(func() { s.check(s.rt.Close()) })
			tt.run(s)
		})
	}
}

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
	// Standard: the functions know their request and answer as standard input and
	// output only, by the contract of OpenFaaS's classic watchdog. They choose no
	// status and no fields, do not cut an answer short, and begin it with their
	// end or 64 KB, unless it is a stream of events.
	Standard bool
	// Say writes what stands behind ?say= as a line to its log. It is deployed
	// with combine_output "false". Only Keep uses it.
	Say string
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
	runAll(t, newRuntime, images, []row{
		{"deployments", (*suite).deployments, true},
		{"replace", (*suite).replace, true},
		{"scale", (*suite).scale, true},
		{"unknown function", (*suite).unknown, true},
		{"invalid", (*suite).invalid, true},
		{"bodies", (*suite).bodies, true},
		{"full duplex", (*suite).fullDuplex, !images.Standard},
		{"cut request", (*suite).cutRequest, true},
		{"headers", (*suite).headers, !images.Standard},
		{"no body", (*suite).noBody, !images.Standard},
		{"cut answer", (*suite).cutAnswer, !images.Standard},
		{"closed early", (*suite).closedEarly, true},
		{"concurrency", (*suite).concurrency, true},
		{"cancel before", (*suite).cancelBefore, true},
		{"remove waits", (*suite).removeWaits, images.Sleep != ""},
		{"cancel", (*suite).cancel, images.Sleep != ""},
		{"events", (*suite).events, images.Stream != ""},
		{"trailers", (*suite).trailers, images.Trailers},
		{"websocket", (*suite).webSocket, images.WebSocket},
		{"closed", (*suite).closed, true},
	})
}

// row is one test.
type row struct {
	name string
	run  func(*suite)
	need bool
}

func runAll(t *testing.T, newRuntime func(t *testing.T) faas.Runtime, images Images, tests []row) {
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

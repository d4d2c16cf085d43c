// Package cell measures one path for a short time: so many callers, each of
// which sends one body after the other and compares each answer with it.
package cell

import (
	"math/rand/v2"
	"time"
)

// Load is what is done to a path.
type Load struct {
	Body   int           // bytes
	AtOnce int           // callers
	Warm   time.Duration // for so long nothing is measured
	Time   time.Duration // each caller makes at least one call
}

// Result is what came of it. CPU and allocations are per call; an allocation
// count below 0 is unknown.
type Result struct {
	Calls      int           `json:"calls"`
	Lost       int           `json:"lost"`
	Loss       string        `json:"loss,omitempty"` // the first one
	P50        time.Duration `json:"p50_ns"`
	P99        time.Duration `json:"p99_ns"`
	Rate       float64       `json:"per_second"`
	ClientCPU  time.Duration `json:"client_cpu_ns"`
	HopCPU     time.Duration `json:"hop_cpu_ns"`
	ClientObjs float64       `json:"client_allocs"`
	HopObjs    float64       `json:"hop_allocs"`
}

// Meter reads what all that stands between client and function has used so far.
type Meter interface {
	// CPU is the processor time of the client and of the hops.
	CPU() (client, hops time.Duration, err error)
	// Allocations counts objects; of hops that do not tell it is negative.
	Allocations() (client, hops float64, err error)
}

// Patience is how long after its time a cell may take until its calls count as
// lost.
const Patience = 60 * time.Second

// Bodies gives the bytes that are sent: each call other ones.
type Bodies struct{ pattern []byte }

// shift is how many different bodies of one length there are.
const shift = 4093

// NewBodies makes bodies of up to max bytes.
func NewBodies(max int) *Bodies {
	b := &Bodies{pattern: make([]byte, max+shift)}
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(b.pattern) // never fails
	return b
}

func (b *Bodies) body(n, i int) []byte { return b.pattern[i%shift:][:n] }

package stage

import (
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/hop"
	"github.com/p2pfaas/p2pfaas/examples/bench/path"
	"github.com/p2pfaas/p2pfaas/examples/bench/process"
)

// Route is a path that is ready: a client, and what it passes on the way to the
// function.
type Route struct {
	path.Client
	stage *Stage
	hops  []Part
	quiet bool // one of the hops does not tell its allocations
}

// CPU is the processor time that this process and the hops have used.
func (r *Route) CPU() (client, hops time.Duration, err error) {
	if client, err = process.CPU(0); err != nil {
		return 0, 0, err
	}
	for _, p := range r.hops {
		used, err := process.CPU(p.ID())
		if err != nil {
			return 0, 0, err
		}
		hops += used
	}
	return client, hops, nil
}

// Allocations is the number of objects that this process and the hops have
// allocated; of the hops -1 if not all of them tell.
func (r *Route) Allocations() (client, hops float64, err error) {
	if r.quiet {
		return float64(hop.Allocations()), -1, nil
	}
	for _, p := range r.hops {
		n, err := p.allocations(r.stage)
		if err != nil {
			return 0, 0, err
		}
		hops += n
	}
	return float64(hop.Allocations()), hops, nil
}

func (p Part) allocations(s *Stage) (float64, error) {
	if p.node != nil {
		return p.node.allocations(s.ctx)
	}
	said, err := p.Ask("allocs")
	if err != nil {
		return 0, err
	}
	var n float64
	if _, err := fmt.Sscan(said, &n); err != nil {
		return 0, fmt.Errorf("allocations %q: %w", said, err)
	}
	return n, nil
}

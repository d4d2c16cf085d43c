package sim

import (
	"maps"

	"github.com/p2pfaas/p2pfaas/sched"
)

// WithBounds is a copy of a registry that knows the names and the parameters of
// the bounds as well. What it makes of these decides nothing: only Run does.
func WithBounds(r sched.Registry) sched.Registry {
	var w world
	all := maps.Clone(r)
	all[boundPerfect], all[boundPooled] = w.perfect, w.pooled
	return all
}

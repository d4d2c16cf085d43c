package embedded

import (
	"errors"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/autoscale"
	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
	"github.com/p2pfaas/p2pfaas/faas/embedded/process"
)

// settings is what a function's limits, labels and annotations ask for.
type settings struct {
	limits        cgroup.Limits
	scaling       autoscale.Policy
	ready, health process.Probe
}

// settings reads them. What is wrong is in the error and left at its default.
func (c *Config) settings(f *faas.Function) (s settings, err error) {
	var errs [3]error
	s.limits, errs[0] = parseLimits(f.Limits)
	s.scaling, errs[1] = autoscale.Parse(f.Labels)
	s.ready, s.health, errs[2] = parseProbes(f)
	s.scaling.Min, s.scaling.Max = min(s.scaling.Min, c.MaxReplicas), min(s.scaling.Max, c.MaxReplicas)
	s.scaling.ByLoad = s.scaling.ByLoad && s.scaling.Min < s.scaling.Max
	return s, errors.Join(errs[:]...)
}

// replicas is how many a function starts with that had so many before.
func (s *settings) replicas(before int) int {
	n := max(before, s.scaling.Min)
	if s.scaling.ByLoad {
		n = min(n, s.scaling.Max)
	}
	return n
}

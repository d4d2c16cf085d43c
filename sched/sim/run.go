package sim

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Options of one run.
type Options struct {
	// Seed overrides the scenario's, if not 0.
	Seed uint64
	// Policy overrides the scenario's, if not empty. Set is added to the
	// scenario's parameters if the policy is the scenario's, else used alone.
	Policy string
	Set    map[string]string
	// Registry has the policies; nil are those of sched.Policies.
	Registry sched.Registry
	// New makes each node's policy, instead of Registry, if not nil: for those
	// that share something.
	New func(node int) (sched.Policy, error)
	// Order overrides what the policy wants of the queue, if not nil.
	Order *sched.Order
	// Expiry overrides the scenario's, if not nil.
	Expiry *Expiry
	// Record is called for each invocation that has ended after the warm-up.
	Record func(Record)
	// Sample is the time between samples of the mesh's state, 0 for none.
	Sample time.Duration
	// Clock is real time, for Result.DecisionNS; nil measures nothing.
	Clock func() time.Duration
	// Progress, if not nil, is called now and then with the virtual time reached.
	Progress func(now time.Duration)
}

// Run simulates a scenario to its end, or until ctx is done.
func Run(ctx context.Context, sc *Scenario, opt Options) (*Result, error) {
	if err := sc.Check(); err != nil {
		return nil, err
	}
	opt.Seed = cmp.Or(opt.Seed, sc.Seed, 1)
	opt.complete(sc)
	w, err := newWorld(sc, opt)
	if err != nil {
		return nil, fmt.Errorf("simulate %s: %w", sc.Name, err)
	}
	if err := w.run(ctx); err != nil {
		return nil, fmt.Errorf("simulate %s: %w", sc.Name, err)
	}
	r := w.tally.sum(w)
	r.Scenario, r.Policy, r.Seed, r.Nodes, r.Events = sc.Name, opt.Policy, opt.Seed, sc.count(), w.events
	return r, nil
}

// complete takes over from the scenario what is not overridden.
func (o *Options) complete(sc *Scenario) {
	if o.Registry == nil {
		o.Registry = sched.Policies()
	}
	if o.Policy == "" || o.Policy == sc.Policy {
		o.Policy = cmp.Or(sc.Policy, "spread")
		set := maps.Clone(sc.Set)
		if set == nil {
			set = make(map[string]string)
		}
		maps.Copy(set, o.Set)
		o.Set = set
	}
}

// policy makes one for a node.
func (w *world) policy(node int) (sched.Policy, error) {
	if w.opt.New != nil {
		return w.opt.New(node)
	}
	if w.registry == nil {
		w.registry = maps.Clone(w.opt.Registry)
		w.registry[boundPerfect], w.registry[boundPooled] = w.perfect, w.pooled
	}
	return w.registry.New(w.opt.Policy, w.opt.Set)
}

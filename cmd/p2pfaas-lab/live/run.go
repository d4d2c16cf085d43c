package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// Run starts the nodes, loads them and ends them. It takes the scenario's duration
// and some seconds more. When ctx ends it ends what it has begun and returns the
// cause.
func Run(ctx context.Context, cfg Config) (_ *Report, err error) {
	if err := Check(cfg.Scenario); err != nil {
		return nil, err
	}
	arrivals, err := sim.Arrivals(cfg.Scenario, cfg.Seed)
	if err != nil {
		return nil, err
	}
	cfg.MaxUnderWay = cmp.Or(cfg.MaxUnderWay, usualUnderWay)
	m := &mesh{cfg: &cfg}
	defer func() {
		if closed := m.Close(); closed != nil {
			err = errors.Join(err, fmt.Errorf("end the nodes: %w", closed))
		}
	}()
	if err := m.open(ctx); err != nil {
		return nil, err
	}
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	r, err := m.play(ctx, arrivals)
	if err != nil {
		return nil, err
	}
	r.Scenario, r.Policy, r.Nodes = cfg.Scenario.Name, cfg.Policy, len(m.members)
	r.Seed = cmp.Or(cfg.Seed, cfg.Scenario.Seed, 1)
	return r, nil
}

// lead is the time from the decision to begin to the scenario's beginning.
const lead = 100 * time.Millisecond

// play lets the scenario happen.
func (m *mesh) play(ctx context.Context, arrivals iter.Seq[sim.Arrival]) (*Report, error) {
	sc := m.cfg.Scenario
	began := time.Now().Add(lead)
	for _, n := range m.members {
		n.sleep.count(began.Add(sc.Warmup), began.Add(sc.Duration))
	}
	t := newTally(sc, m.members)
	load := newLoad(m, t, began)
	var seen counters
	all, within := errgroup.WithContext(ctx)
	all.Go(func() error { return load.drive(within, arrivals) })
	all.Go(func() error { return m.befall(within, began) })
	all.Go(func() (err error) { seen, err = m.watch(within, began); return err })
	all.Go(func() error { return m.sample(within, began, t) })
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return t.sum(m, seen), nil
}

// watch is what the nodes count between the warm-up and the end.
func (m *mesh) watch(ctx context.Context, began time.Time) (seen counters, err error) {
	if err := sleepUntil(ctx, began.Add(m.cfg.Scenario.Warmup)); err != nil {
		return seen, err
	}
	before := m.count(ctx)
	if err := sleepUntil(ctx, began.Add(m.cfg.Scenario.Duration)); err != nil {
		return seen, err
	}
	after := m.count(ctx)
	return after.since(&before), nil
}

// sample notes the mesh's state now and then.
func (m *mesh) sample(ctx context.Context, began time.Time, t *tally) error {
	for at := m.cfg.Sample; at > 0 && at <= m.cfg.Scenario.Duration; at += m.cfg.Sample {
		if err := sleepUntil(ctx, began.Add(at)); err != nil {
			return err
		}
		t.sample(at, m.count(ctx))
	}
	return nil
}

// befall has happen to the nodes what the scenario says.
func (m *mesh) befall(ctx context.Context, began time.Time) error {
	events := slices.Clone(m.cfg.Scenario.Events)
	slices.SortStableFunc(events, func(a, b sim.Event) int { return cmp.Compare(a.At, b.At) })
	for i := range events {
		if err := sleepUntil(ctx, began.Add(events[i].At)); err != nil {
			return err
		}
		var all errgroup.Group
		for _, number := range events[i].Nodes {
			all.Go(func() error { return m.happen(ctx, m.members[number], &events[i]) })
		}
		if err := all.Wait(); err != nil {
			return err
		}
	}
	return nil
}

func (m *mesh) happen(ctx context.Context, n *member, e *sim.Event) error {
	switch {
	case e.Kill:
		n.kill()
	case e.Restart:
		n.kill()
		return m.start(ctx, n)
	case e.Stall > 0:
		n.sleep.setStalls(e.Stalls, e.Stall)
	default:
		n.sleep.setSpeed(e.Speed)
	}
	return nil
}

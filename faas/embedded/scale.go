package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/autoscale"
)

// newScaler returns what scales a function by its labels, nil if nothing does.
// Only processes that are kept are a matter of load: what runs a process per
// request, or elsewhere, runs as many as there are requests.
func newScaler(p autoscale.Policy, b backend) *autoscale.Scaler {
	if _, ok := b.(kept); !ok {
		p.ByLoad = false
	}
	if !p.Active() {
		return nil
	}
	return autoscale.New(p)
}

// Scale implements [faas.Runtime]. Replicas that are stopped answer the calls
// that they have.
func (rt *Runtime) Scale(_ context.Context, name faas.Name, replicas int) error {
	if replicas < 0 || replicas > rt.cfg.MaxReplicas {
		return fmt.Errorf("scale %s to %d replicas: %w: want 0 to %d", name, replicas, faas.ErrInvalid, rt.cfg.MaxReplicas)
	}
	rt.change.Lock()
	defer rt.change.Unlock()
	d, err := rt.lookup(name)
	if err != nil {
		return err
	}
	rt.setReplicas(d, replicas)
	if err := rt.save(d); err != nil {
		return fmt.Errorf("scale %s: %w", name, err)
	}
	return nil
}

// setReplicas scales what serves a function, and what is to.
func (rt *Runtime) setReplicas(d *deployment, n int) {
	d.backend.scale(n)
	if ro := rt.rolloutOf(d.function.Name); ro != nil && ro.next != nil {
		ro.next.backend.scale(n)
	}
}

// tend scales functions by their load, stores counts, and passes on that
// something changed, until ctx ends.
func (rt *Runtime) tend(ctx context.Context) {
	scaling, saving := time.NewTicker(rt.cfg.ScaleEvery), time.NewTicker(rt.cfg.SaveEvery)
	defer scaling.Stop()
	defer saving.Stop()
	changed := rt.changed
	for {
		select {
		case <-scaling.C:
			changed = rt.changed
			rt.scaleAll(time.Now())
		case <-saving.C:
			rt.saveChanged()
		case <-changed:
			changed = nil // a function that comes and goes is not told of more often
			if err := rt.cfg.Changed(ctx); err != nil && ctx.Err() == nil {
				log.Warnw("not everybody knows of a change of the functions", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// notify lets tend call Changed. It never waits.
func (rt *Runtime) notify() {
	if rt.cfg.Changed == nil {
		return
	}
	select {
	case rt.changed <- struct{}{}:
	default: // it is about to be called
	}
}

func (rt *Runtime) scaleAll(now time.Time) {
	for _, d := range rt.deployments() {
		d.prepareUsage(now)
		if d.scaler == nil {
			continue
		}
		x := d.sample(now)
		if n := d.scaler.Next(x); n != x.Replicas {
			rt.autoscale(d, x, n)
		}
	}
}

// autoscale sets the number of replicas, unless something has changed since the
// sample.
func (rt *Runtime) autoscale(d *deployment, x autoscale.Sample, n int) {
	rt.change.Lock()
	defer rt.change.Unlock()
	name := d.function.Name
	if now, _ := rt.lookup(name); now != d || d.backend.state().replicas != x.Replicas {
		return
	}
	rt.setReplicas(d, n)
	log.Infow("function scaled", "function", name.String(), "from", x.Replicas, "to", n, "calls", x.Calls)
	if n == 0 || x.Replicas == 0 {
		rt.notify()
	}
}

// sample is what the scaler is to know.
func (d *deployment) sample(now time.Time) autoscale.Sample {
	x := autoscale.Sample{At: now, Replicas: d.backend.state().replicas}
	if d.scaler.NeedsCPU() && d.account != nil {
		x.CPU = d.account.CPUTime().Used
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tally()
	x.Finished, x.Busy, x.Calls = d.finished, d.busy, d.calls
	return x
}

// saveChanged stores the functions whose numbers have changed since they were
// stored last.
func (rt *Runtime) saveChanged() {
	for _, d := range rt.deployments() {
		if err := rt.saveIfChanged(d); err != nil {
			log.Warnw("store a function's counts", "function", d.function.Name.String(), "error", err)
		}
	}
}

func (rt *Runtime) saveIfChanged(d *deployment) error {
	rt.change.Lock()
	defer rt.change.Unlock()
	if now, _ := rt.lookup(d.function.Name); now != d {
		return nil
	}
	r, saved := rt.record(d), d.lineage.saved
	if r.Replicas == saved.Replicas && r.Invocations == saved.Invocations {
		return nil
	}
	return rt.save(d)
}

package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Deploy implements [faas.Runtime]. A replacement keeps the time of creation,
// the count of invocations and the number of replicas. While it starts, the
// earlier version serves; the one deployed last wins.
func (rt *Runtime) Deploy(ctx context.Context, f faas.Function) error {
	if err := f.Name.Validate(); err != nil {
		return err
	}
	set, err := rt.cfg.settings(&f)
	if err != nil {
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	done, err := rt.compile(ctx, &f, &set)
	if err != nil {
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	defer done()
	rt.change.Lock()
	defer rt.change.Unlock()
	if rt.inPhase() != phaseRunning {
		return errNotRunning()
	}
	f = copyFunction(f)
	r := record{Function: f, Replicas: set.replicas(1), CreatedAt: time.Now().UTC()}
	old, _ := rt.lookup(f.Name)
	if old != nil {
		was := old.record()
		r.CreatedAt, r.Invocations, r.Replicas = was.CreatedAt, was.Invocations, set.replicas(was.Replicas)
	}
	if err := rt.replace(r, old); err != nil {
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	return nil
}

// replace builds and stores a deployment and puts it in the place of old, at
// once or when it is ready. rt.change is held.
func (rt *Runtime) replace(r record, old *deployment) error {
	d, err := rt.build(r, old)
	if err != nil {
		return err
	}
	r.Module = d.module
	atOnce := takesOver(d, old)
	if !atOnce {
		r.Previous, r.Module = &old.function, old.module
	}
	if err := rt.store.save(r); err != nil {
		rt.retire(d, old)
		return err
	}
	d.lineage.saved = r
	name := r.Function.Name
	rt.abandon(name, d)
	if atOnce {
		rt.put(name, d)
		if old != nil {
			rt.retire(old, d)
		}
	} else {
		rt.rollOut(d)
	}
	log.Infow("function deployed", "function", name.String(), "image", r.Function.Image, "replaced", old != nil, "at_once", atOnce, "note", d.note)
	return nil
}

// retire ends d in the background. Calls that still wait for it go on to its
// successor, if there is one; its log stays open if that writes to it.
func (rt *Runtime) retire(d, successor *deployment) {
	if d.module != "" {
		rt.sweepModules()
	}
	if k, ok := d.backend.(kept); ok && successor != nil {
		k.group.Replace()
	}
	rt.retiring.Go(func() {
		d.end(rt.cfg.Drain, rt.cfg.Grace)
		if successor == nil || successor.log != d.log {
			d.closeLog()
		}
	})
}

func (rt *Runtime) put(n faas.Name, d *deployment) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.byName[n] = d
}

// Remove implements [faas.Runtime].
func (rt *Runtime) Remove(_ context.Context, name faas.Name) error {
	d, err := rt.takeOut(name)
	if err != nil {
		return err
	}
	d.end(rt.cfg.Grace, rt.cfg.Grace)
	d.closeLog()
	rt.retiring.Done()
	log.Infow("function removed", "function", name.String())
	return nil
}

// takeOut ends a deployment's existence; what it runs goes on, and is counted
// in retiring.
func (rt *Runtime) takeOut(name faas.Name) (*deployment, error) {
	rt.change.Lock()
	defer rt.change.Unlock()
	d, err := rt.lookup(name)
	if err != nil {
		return nil, err
	}
	if err := rt.store.remove(name); err != nil {
		return nil, fmt.Errorf("remove %s: %w", name, err)
	}
	rt.mu.Lock()
	delete(rt.byName, name)
	rt.mu.Unlock()
	d.lineage.finish()
	rt.removeLogs(d)
	rt.retiring.Add(1)
	if d.module != "" {
		rt.sweepModules()
	}
	rt.abandon(name, d)
	return d, nil
}

// save stores what serves a function, and what is to. rt.change is held.
func (rt *Runtime) save(d *deployment) error {
	r := rt.record(d)
	if err := rt.store.save(r); err != nil {
		return err
	}
	d.lineage.saved = r
	return nil
}

func (rt *Runtime) record(d *deployment) record {
	r := d.record()
	if ro := rt.rolloutOf(d.function.Name); ro != nil {
		r.Function, r.Previous = ro.function, &d.function
	}
	return r
}

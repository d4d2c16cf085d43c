package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Deploy implements [faas.Runtime]. A replacement keeps the time of creation,
// the count of invocations and the number of replicas.
func (rt *Runtime) Deploy(_ context.Context, f faas.Function) error {
	if err := f.Name.Validate(); err != nil {
		return err
	}
	rt.change.Lock()
	defer rt.change.Unlock()
	if rt.inPhase() != phaseRunning {
		return errNotRunning()
	}
	f = copyFunction(f)
	r := record{Function: f, Replicas: rt.firstReplicas(&f), CreatedAt: time.Now().UTC()}
	old, _ := rt.lookup(f.Name)
	if old != nil {
		was := old.record()
		r.CreatedAt, r.Invocations, r.Replicas = was.CreatedAt, was.Invocations, max(was.Replicas, 1)
	}
	d, err := rt.build(r, old)
	if err != nil {
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	if err := rt.store.save(r); err != nil {
		rt.retire(d, old)
		return fmt.Errorf("deploy %s: %w", f.Name, err)
	}
	rt.put(f.Name, d)
	if old != nil {
		rt.retire(old, d)
	}
	log.Infow("function deployed", "function", f.Name.String(), "image", f.Image, "replaced", old != nil, "note", d.note)
	return nil
}

// retire ends d in the background; its log stays open if its successor writes
// to it.
func (rt *Runtime) retire(d, successor *deployment) {
	rt.retiring.Go(func() {
		d.end(rt.cfg.Grace)
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
	d.end(rt.cfg.Grace)
	d.closeLog()
	rt.retiring.Done()
	rt.dropLog(name, d)
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
	rt.retiring.Add(1)
	return d, nil
}

// dropLog deletes the log of a removed function, unless a new function of that
// name writes to it already.
func (rt *Runtime) dropLog(name faas.Name, d *deployment) {
	rt.change.Lock()
	defer rt.change.Unlock()
	if _, err := rt.lookup(name); err != nil && d.log != nil {
		d.log.Remove()
	}
}

// Scale implements [faas.Runtime].
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
	d.backend.scale(replicas)
	if err := rt.store.save(d.record()); err != nil {
		return fmt.Errorf("scale %s: %w", name, err)
	}
	return nil
}

package embedded

import (
	"context"
	"fmt"

	"github.com/p2pfaas/p2pfaas/faas"
)

// rollout is a version of a function on its way to take the place of the one
// that serves. It is in Runtime.rollouts until it has, or until another
// deployment or removal ends it; one that failed stays there without a
// deployment. Runtime.mu guards next and failure.
type rollout struct {
	function faas.Function
	next     *deployment
	failure  string
	cancel   context.CancelFunc
}

// starter is a backend that takes a while until it can be called.
type starter interface {
	// awaitReady returns nil when all replicas are ready, or some are when ctx or
	// its patience ends; else why none is.
	awaitReady(ctx context.Context) error
}

// takesOver tells whether next can replace old at once: when it need not start,
// or when nobody serves meanwhile anyway.
func takesOver(next, old *deployment) bool {
	_, starts := next.backend.(starter)
	return !starts || old == nil || old.backend.state().available == 0
}

// rollOut lets next, which is starting, replace the function that serves when it
// is ready. rt.change is held.
func (rt *Runtime) rollOut(next *deployment) {
	ctx, cancel := context.WithCancel(rt.ctx)
	ro := &rollout{function: next.function, next: next, cancel: cancel}
	rt.mu.Lock()
	rt.rollouts[next.function.Name] = ro
	rt.mu.Unlock()
	rt.rolling.Go(func() {
		defer cancel()
		err := next.backend.(starter).awaitReady(ctx)
		rt.change.Lock()
		defer rt.change.Unlock()
		switch {
		case ctx.Err() != nil: // whoever ended the rollout ends next
		case err != nil:
			rt.giveUp(ro, err)
		default:
			rt.complete(ro)
		}
	})
}

// complete puts the new version in the place of the old. rt.change is held.
func (rt *Runtime) complete(ro *rollout) {
	name := ro.function.Name
	rt.mu.Lock()
	old := rt.byName[name]
	rt.byName[name] = ro.next
	delete(rt.rollouts, name)
	rt.mu.Unlock()
	rt.retire(old, ro.next)
	if err := rt.save(ro.next); err != nil {
		log.Errorw("the earlier version would be started once more after a restart", "function", name.String(), "error", err)
	}
	log.Infow("function rolled out", "function", name.String(), "replicas", ro.next.backend.state().replicas)
	rt.notify()
}

// giveUp stops the new version and keeps the old. rt.change is held.
func (rt *Runtime) giveUp(ro *rollout, why error) {
	name := ro.function.Name
	rt.mu.Lock()
	next, old := ro.next, rt.byName[name]
	ro.next, ro.failure = nil, why.Error()
	rt.mu.Unlock()
	rt.retire(next, old)
	log.Errorw("function's new version is not used: it did not become ready", "function", name.String(), "image", ro.function.Image, "reason", why)
	rt.notify()
}

// abandon ends a rollout, if there is one, whose log heir may continue.
// rt.change is held.
func (rt *Runtime) abandon(name faas.Name, heir *deployment) {
	rt.mu.Lock()
	ro := rt.rollouts[name]
	delete(rt.rollouts, name)
	rt.mu.Unlock()
	if ro == nil {
		return
	}
	ro.cancel()
	if ro.next != nil {
		rt.retire(ro.next, heir)
	}
}

// rolloutOf returns a copy of the rollout under way or failed, nil if none.
func (rt *Runtime) rolloutOf(name faas.Name) *rollout {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	if ro := rt.rollouts[name]; ro != nil {
		c := *ro
		return &c
	}
	return nil
}

// tell makes the status of what serves that of the function as it was deployed
// last.
func (ro *rollout) tell(s *faas.Status) {
	print := s.Fingerprint()
	s.Function, s.Digest, s.Serving = copyFunction(ro.function), "", &print
	if ro.failure != "" {
		s.Note = joinNotes(fmt.Sprintf("the version deployed last is not used, the earlier one serves: %s", ro.failure), s.Note)
		return
	}
	n := ro.next.backend.state()
	note := fmt.Sprintf("the earlier version serves until the one deployed last is ready (%d of %d replicas are)", n.available, n.replicas)
	s.Note = joinNotes(note, n.failure, s.Note)
}

// restoreOne starts a function again; a rollout that was under way, or had
// failed, begins anew.
func (rt *Runtime) restoreOne(r record) error {
	old := rt.restorePrevious(r)
	d, err := rt.build(r, old)
	name := r.Function.Name
	switch {
	case old == nil && err != nil:
		return err
	case old == nil:
		rt.put(name, d)
		return nil
	}
	rt.put(name, old)
	if err != nil {
		log.Errorw("function's new version is not used", "function", name.String(), "image", r.Function.Image, "reason", err)
		rt.rollouts[name] = &rollout{function: r.Function, failure: err.Error(), cancel: func() {}}
		return nil
	}
	if _, starts := d.backend.(starter); starts {
		rt.rollOut(d)
		return nil
	}
	rt.put(name, d)
	rt.retire(old, d)
	return nil
}

// restorePrevious starts the version that served, nil if there is none.
func (rt *Runtime) restorePrevious(r record) *deployment {
	if r.Previous == nil {
		return nil
	}
	r.Function, r.Previous = *r.Previous, nil
	d, err := rt.build(r, nil)
	if err != nil {
		log.Errorw("function's earlier version is not restored", "function", r.Function.Name.String(), "error", err)
		return nil
	}
	return d
}

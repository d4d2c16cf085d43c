package wasi

import (
	"context"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// loading is one load, for all who wait for it.
type loading struct {
	done chan struct{}
	err  error // set before done is closed
}

// Load makes the module ready to run, and returns when it is. An error that
// wraps [ErrModule] is the module's fault.
func (r *Runner) Load(ctx context.Context) error {
	_, err := r.acquire(ctx)
	if err == nil {
		r.drop()
	}
	return err
}

// Preload begins to make the module ready, if it is not.
func (r *Runner) Preload() {
	if code, _ := r.use(); code != nil {
		r.drop()
	}
}

// Unload frees what the module takes of memory once no invocation uses it. The
// next one loads it again.
func (r *Runner) Unload() {
	r.mu.Lock()
	r.idle = true
	unused := r.takeUnused()
	r.mu.Unlock()
	unused.closeIfAny()
}

// State is what a Runner has done so far.
type State struct {
	Loaded bool
	// LoadTime is how long the last load took, 0 before the first.
	LoadTime time.Duration
	// Failure is why the last load failed, nil if it did not.
	Failure error
}

// State tells whether the module is ready.
func (r *Runner) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return State{Loaded: r.loaded != nil, LoadTime: r.took, Failure: r.failure}
}

// acquire returns the loaded module, to be dropped after use.
func (r *Runner) acquire(ctx context.Context) (*code, error) {
	for {
		code, l := r.use()
		if code != nil {
			return code, nil
		}
		select {
		case <-l.done:
			if l.err != nil {
				return nil, l.err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// use returns the loaded module, or the load to wait for.
func (r *Runner) use() (*code, *loading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = false
	if r.loaded != nil {
		r.users++
		return r.loaded, nil
	}
	if r.loading != nil {
		return nil, r.loading
	}
	l := &loading{done: make(chan struct{})}
	if r.closed {
		l.err = watchdog.ErrRemoved
		close(l.done)
		return nil, l
	}
	r.loading = l
	r.guests.Go(func() { r.load(l) })
	return nil, l
}

// load ends with the compilation.
func (r *Runner) load(l *loading) {
	begun := time.Now()
	code, err := r.compile()
	r.mu.Lock()
	r.loading, r.failure = nil, err
	if err == nil {
		r.loaded, r.took = code, time.Since(begun)
	}
	unused := r.takeUnused()
	r.mu.Unlock()
	unused.closeIfAny()
	l.err = err
	close(l.done)
}

func (r *Runner) compile() (*code, error) {
	module, err := r.cfg.Read()
	if err != nil {
		return nil, err
	}
	prepared, err := prepare(module, r.pages)
	if err != nil {
		return nil, err
	}
	code, err := r.cfg.Engine.compile(r.ctx, r.cfg.Digest, prepared, r.pages)
	if err != nil {
		return nil, err
	}
	if err := code.check(r.ctx); err != nil {
		code.close()
		return nil, err
	}
	return code, nil
}

// drop ends a use of the loaded module.
func (r *Runner) drop() {
	r.mu.Lock()
	r.users--
	unused := r.takeUnused()
	r.mu.Unlock()
	unused.closeIfAny()
}

// takeUnused returns the module if it is to be unloaded now. mu is held.
func (r *Runner) takeUnused() *code {
	if r.users > 0 || !r.idle && !r.closed {
		return nil
	}
	unused := r.loaded
	r.loaded = nil
	return unused
}

func (c *code) closeIfAny() {
	if c != nil {
		c.close()
	}
}

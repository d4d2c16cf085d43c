package faastest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// fakeFunction is a deployment of a Fake.
type fakeFunction struct {
	ctx  context.Context // ends with the Fake
	stop context.CancelCauseFunc

	mu       sync.Mutex // guards what follows
	function faas.Function
	replicas int
	created  time.Time
	invoked  uint64
	counters Counters
	changed  chan struct{} // closed, and made anew, when a call ends
	log      fakeLog
}

func newFakeFunction(fn faas.Function) *fakeFunction {
	f := &fakeFunction{function: clone(fn), replicas: 1, created: time.Now(), changed: make(chan struct{})}
	f.ctx, f.stop = context.WithCancelCause(context.Background())
	return f
}

func clone(fn faas.Function) faas.Function {
	fn.EnvVars, fn.Labels, fn.Annotations = maps.Clone(fn.EnvVars), maps.Clone(fn.Labels), maps.Clone(fn.Annotations)
	fn.Constraints, fn.Secrets = slices.Clone(fn.Constraints), slices.Clone(fn.Secrets)
	return fn
}

func (f *fakeFunction) replace(fn faas.Function) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.function = clone(fn)
}

func (f *fakeFunction) status() faas.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return faas.Status{
		Function: clone(f.function), Replicas: f.replicas, AvailableReplicas: f.replicas,
		Invocations: f.invoked, CreatedAt: f.created,
	}
}

func (f *fakeFunction) scale(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replicas = n
}

func (f *fakeFunction) read() Counters {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counters
}

// begin counts a call in; cold is true if it woke the function.
func (f *fakeFunction) begin() (cold bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counters.Started++
	f.counters.InFlight++
	f.invoked++
	cold = f.replicas == 0
	f.replicas = max(f.replicas, 1)
	return cold
}

func (f *fakeFunction) end(cancelled bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counters.InFlight--
	if cancelled {
		f.counters.Cancelled++
	} else {
		f.counters.Finished++
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeFunction) received(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counters.BytesIn += int64(n)
}

func (f *fakeFunction) busy() (bool, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counters.InFlight > 0, f.changed
}

// drain waits for the calls under way, up to fakeGrace, then ends them.
func (f *fakeFunction) drain(ctx context.Context) {
	timer := time.NewTimer(fakeGrace)
	defer timer.Stop()
	defer f.stop(faas.ErrNotFound)
	for {
		busy, changed := f.busy()
		if !busy {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

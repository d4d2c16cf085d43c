package embedded

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// deployment is a function as it runs here: what was asked for, and what runs
// it. A replacement is another deployment.
type deployment struct {
	function    faas.Function
	createdAt   time.Time
	note        string
	log         *child.Log
	account     *child.Account // nil: what it takes is not known
	backend     backend
	invocations atomic.Uint64
	over        func() // leave, bound once

	mu      sync.Mutex // guards what follows
	calls   int
	closing bool
	idle    chan struct{} // closed when the last call has left a closing one
}

func newDeployment(r record) *deployment {
	d := &deployment{function: r.Function, createdAt: r.CreatedAt, idle: make(chan struct{})}
	d.over = d.leave
	d.invocations.Store(r.Invocations)
	return d
}

// enter counts a call in, unless the deployment is being removed.
func (d *deployment) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.calls++
	return true
}

func (d *deployment) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls--
	if d.closing && d.calls == 0 {
		close(d.idle)
	}
}

func (d *deployment) refuse() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return
	}
	d.closing = true
	if d.calls == 0 {
		close(d.idle)
	}
}

// end lets the calls under way finish for at most grace, then stops the rest.
func (d *deployment) end(grace time.Duration) {
	d.refuse()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-d.idle:
	case <-timer.C:
		log.Warnw("calls outlived their function's removal", "function", d.function.Name.String(), "grace", grace)
	}
	d.backend.close()
}

// closeLog is separate from end, as a successor continues the log.
func (d *deployment) closeLog() {
	if d.log != nil {
		_ = d.log.Close()
	}
}

func (d *deployment) record() record {
	return record{
		Function: d.function, Replicas: d.backend.state().replicas,
		CreatedAt: d.createdAt, Invocations: d.invocations.Load(),
	}
}

func (d *deployment) status() faas.Status {
	s := d.backend.state()
	note := d.note
	if s.failure != "" {
		note = joinNotes(note, s.failure)
	}
	return faas.Status{
		Function: copyFunction(d.function), Replicas: s.replicas, AvailableReplicas: s.available,
		Invocations: d.invocations.Load(), CreatedAt: d.createdAt, ColdStart: s.coldStart, Note: note,
	}
}

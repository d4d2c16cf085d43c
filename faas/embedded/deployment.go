package embedded

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/autoscale"
	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// deployment is a function as it runs here: what was asked for, and what runs
// it. A replacement is another deployment.
type deployment struct {
	function  faas.Function
	createdAt time.Time
	note      string
	log       *child.Log
	account   *child.Account // nil: what it takes is not known
	backend   backend
	secrets   *secretView       // nil: it names none
	module    string            // the digest of a WebAssembly module; empty: another kind
	limits    *cgroup.Group     // of a backend whose processes share one; nil: none
	scaler    *autoscale.Scaler // nil: nobody scales it; used by tend only
	lineage   *lineage
	over      func()    // leave, bound once
	born      time.Time // of this process's clock

	mu       sync.Mutex // guards what follows
	calls    int
	finished uint64
	busy     time.Duration // the time of all calls until since
	since    time.Duration // after born
	closing  bool
	idle     chan struct{} // closed when the last call has left a closing one
}

// lineage is what a deployment and those that it replaced have in common.
type lineage struct {
	invocations atomic.Uint64
	usage       usage
	saved       record        // as it was stored last; guarded by Runtime.change
	hurry       chan struct{} // closed when the function is removed or the Runtime closed
	once        sync.Once
}

// finish lets none of the deployments take longer than the grace period to end.
func (l *lineage) finish() { l.once.Do(func() { close(l.hurry) }) }

func newDeployment(r record, old *deployment) *deployment {
	d := &deployment{function: r.Function, createdAt: r.CreatedAt, idle: make(chan struct{}), born: time.Now()}
	d.over = d.leave
	if old != nil {
		d.log, d.account, d.lineage = old.log, old.account, old.lineage
		return d
	}
	d.lineage = &lineage{hurry: make(chan struct{}), saved: r}
	d.lineage.invocations.Store(r.Invocations)
	return d
}

// enter counts a call in, unless the deployment is being removed.
func (d *deployment) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.tally()
	d.calls++
	return true
}

func (d *deployment) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tally()
	d.calls--
	d.finished++
	if d.closing && d.calls == 0 {
		close(d.idle)
	}
}

// tally adds up the time of the calls under way. mu is held.
func (d *deployment) tally() {
	now := time.Since(d.born)
	d.busy += time.Duration(d.calls) * (now - d.since)
	d.since = now
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

// end lets the calls under way finish for at most drain, and at most grace from
// when the lineage is finished, then stops the rest.
func (d *deployment) end(drain, grace time.Duration) {
	d.refuse()
	if !d.idles(d.lineage.hurry, drain) && !d.idles(nil, grace) {
		log.Warnw("calls outlived their function", "function", d.function.Name.String(), "grace", grace)
	}
	d.backend.close()
	d.secrets.close()
	if d.limits == nil {
		return
	}
	if err := d.limits.Remove(); err != nil {
		log.Warnw("remove a function's control group", "function", d.function.Name.String(), "error", err)
	}
}

// idles returns true once there is no call, or false after a time or when
// hurried.
func (d *deployment) idles(hurry <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-d.idle:
		return true
	case <-hurry:
		return false
	case <-timer.C:
		return false
	}
}

// closeLog is separate from end, as a successor continues the log.
func (d *deployment) closeLog() {
	if d.log != nil {
		_ = d.log.Close()
	}
}

func (d *deployment) record() record {
	return record{
		Function: d.function, Module: d.module, Replicas: d.backend.state().replicas,
		CreatedAt: d.createdAt, Invocations: d.lineage.invocations.Load(),
	}
}

func (d *deployment) status() faas.Status {
	s := d.backend.state()
	digest := ""
	if d.module != "" {
		digest = moduleImage(d.module)
	}
	return faas.Status{
		Digest:   digest,
		Function: copyFunction(d.function), Replicas: s.replicas, AvailableReplicas: s.available,
		Invocations: d.lineage.invocations.Load(), CreatedAt: d.createdAt, ColdStart: s.coldStart,
		Note: joinNotes(d.note, s.failure, s.restarts),
	}
}

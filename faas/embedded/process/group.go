package process

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	logging "github.com/ipfs/go-log/v2"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

var log = logging.Logger("p2pfaas/process")

// Group is the replicas of one function. It is safe for concurrent use.
type Group struct {
	name string
	cfg  Config

	mu        sync.Mutex // guards what follows and the replicas' states
	replicas  []*replica
	changed   chan struct{} // closed, and made anew, when a state changes
	coldStart time.Duration
	restarts  int
	restarted string // why the last one was
	replaced  bool
	closed    bool
	running   sync.WaitGroup // replicas' goroutines
}

// NewGroup returns a Group without replicas.
func NewGroup(name string, cfg Config) *Group {
	return &Group{name: name, cfg: cfg, changed: make(chan struct{})}
}

// State is what a Group has.
type State struct {
	Replicas, Ready int
	// ColdStart is the last time from start to readiness.
	ColdStart time.Duration
	// Failure tells why a replica is not ready, if one ended or says so.
	Failure string
	// Restarts counts the processes that ended without being asked to, and
	// Restarted tells how the last of them did.
	Restarts  int
	Restarted string
}

// State returns the present state.
func (g *Group) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state()
}

func (g *Group) state() State {
	s := State{Replicas: len(g.replicas), ColdStart: g.coldStart, Restarts: g.restarts, Restarted: g.restarted}
	for _, r := range g.replicas {
		if r.phase == ready {
			s.Ready++
		} else if r.failure != "" {
			s.Failure = r.failure
		}
	}
	return s
}

// AwaitReady returns the state once all replicas are ready, or when ctx ends.
func (g *Group) AwaitReady(ctx context.Context) State {
	for {
		g.mu.Lock()
		s, changed := g.state(), g.changed
		g.mu.Unlock()
		if s.Ready >= s.Replicas {
			return s
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s
		}
	}
}

// Scale starts or stops replicas until there are n. It does not wait: those that
// are stopped answer the calls that they have.
func (g *Group) Scale(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.scale(n)
}

func (g *Group) scale(n int) {
	if g.closed {
		return
	}
	if len(g.replicas) > n {
		slices.SortStableFunc(g.replicas, byUse)
		for _, r := range g.replicas[n:] {
			r.cancel()
		}
		clear(g.replicas[n:])
		g.replicas = g.replicas[:n]
	}
	for len(g.replicas) < n {
		r := newReplica(g)
		g.replicas = append(g.replicas, r)
		g.running.Go(r.run)
	}
	g.wake()
}

// byUse puts first what is to be kept longest: replicas that are ready, those
// with the most calls, the oldest.
func byUse(a, b *replica) int {
	if c := cmp.Compare(a.usefulness(), b.usefulness()); c != 0 {
		return -c
	}
	return -cmp.Compare(a.calls(), b.calls())
}

func (r *replica) usefulness() int {
	switch r.phase {
	case ready:
		return 2
	case starting, unready:
		return 1
	}
	return 0
}

func (r *replica) calls() int {
	if r.current == nil {
		return 0
	}
	return r.current.calls
}

// wake lets those who wait in Acquire look again. mu is held.
func (g *Group) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// Endpoint leads to a ready replica.
type Endpoint struct {
	Client *httpcall.Client
	// Release gives the replica back when the call is over, once.
	Release func()

	instance *instance
}

// Died explains a call that failed: it returns how the process ended, "" if it
// runs on. It waits a moment, as a process's connections end before it does.
func (e Endpoint) Died() string {
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case <-e.instance.Done():
		return e.instance.Exit()
	case <-timer.C:
		return ""
	}
}

const moment = 100 * time.Millisecond

// ErrReplaced ends the wait for a replica of what was replaced. It wraps
// [faas.ErrNotStarted].
var ErrReplaced = fmt.Errorf("another version took its place: %w", faas.ErrNotStarted)

// Replace says that another Group answers from now on: no call waits for a replica
// of this one any more, which may never be ready.
func (g *Group) Replace() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.replaced = true
	g.wake()
}

// Acquire returns a ready replica, waiting for one that starts. Without a
// replica it starts one. Errors wrap [faas.ErrNotStarted].
func (g *Group) Acquire(ctx context.Context) (Endpoint, error) {
	for {
		e, wait, err := g.pick(time.Now())
		if wait == nil || err != nil {
			return e, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return Endpoint{}, fmt.Errorf("wait for function to start: %w: %w", faas.ErrNotStarted, context.Cause(ctx))
		}
	}
}

// pick returns a replica, or what to wait for, or why waiting is vain.
func (g *Group) pick(now time.Time) (Endpoint, <-chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return Endpoint{}, nil, fmt.Errorf("function %s is being removed: %w", g.name, faas.ErrNotStarted)
	}
	if r := g.leastBusy(); r != nil {
		r.calls++
		return Endpoint{r.client, r.release, r}, nil, nil
	}
	if g.replaced {
		return Endpoint{}, nil, fmt.Errorf("function %s: %w", g.name, ErrReplaced)
	}
	if len(g.replicas) == 0 {
		g.scale(1)
	}
	if err := g.hopeless(now); err != nil {
		return Endpoint{}, nil, err
	}
	return Endpoint{}, g.changed, nil
}

func (g *Group) leastBusy() *instance {
	var best *instance
	for _, r := range g.replicas {
		if r.phase == ready && (best == nil || r.current.calls < best.calls) {
			best = r.current
		}
	}
	return best
}

// hopeless returns an error if every replica pauses for longer than a call
// waits, or says that it is not ready.
func (g *Group) hopeless(now time.Time) error {
	for _, r := range g.replicas {
		if r.phase != unready && (r.phase != paused || r.resume.Sub(now) <= patience) {
			return nil
		}
	}
	r := g.replicas[0]
	if r.phase == unready {
		return fmt.Errorf("function %s %s: %w", g.name, r.failure, faas.ErrNotStarted)
	}
	return fmt.Errorf("function %s %s; it is started again in %v: %w", g.name, r.failure, r.resume.Sub(now).Round(100*time.Millisecond), faas.ErrNotStarted)
}

// Close stops all replicas, without regard to calls under way, and waits for
// them. It is idempotent.
func (g *Group) Close() {
	g.mu.Lock()
	g.scale(0)
	g.closed = true
	g.wake()
	g.mu.Unlock()
	g.running.Wait()
}

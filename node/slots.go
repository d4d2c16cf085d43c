package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// slots is this node's capacity: weighted work that runs, a bounded line that
// waits, and invocations that only stream on and hold no server any more.
type slots struct {
	clock   func() time.Duration
	servers float64
	maxOpen int

	mu      sync.Mutex
	busy    float64     // weight of what holds a server
	running int         // count of the same
	runs    *sched.Busy // how far the same have come
	kinds   kinds       // of the same
	open    int         // granted and not released, streaming ones included
	queue   *sched.Queue[*waiter]
	closing bool
	// idle is told, without waiting, when a server is free and nothing waits; news
	// is when, besides, work is known to wait elsewhere.
	idle, news chan struct{}
}

// waiter is an invocation in the line.
type waiter struct {
	need    need
	arrived time.Duration
	granted chan error // one value: nil, or why not; buffered
	token   int        // of what runs, once granted
}

// slot is the right to run; release it once, always.
type slot struct {
	of       *slots
	need     need
	token    int
	holds    bool // still holds a server; guarded by of.mu, like released
	released bool
	waited   time.Duration
	then     func() // called on release; may be nil
}

// weightSlack lets weights such as 0.1 fill a server in spite of rounding.
const weightSlack = 1e-9

func newSlots(cfg slotsConfig, clock func() time.Duration) *slots {
	cfg.queue.Servers = cfg.servers
	return &slots{
		clock:   clock,
		servers: float64(cfg.servers),
		maxOpen: cfg.maxOpen,
		runs:    sched.NewBusy(),
		queue:   sched.NewQueue[*waiter](cfg.queue),
		idle:    make(chan struct{}, 1),
		news:    make(chan struct{}, 1),
	}
}

type slotsConfig struct {
	servers int
	maxOpen int
	queue   sched.QueueConfig
}

// need says what an invocation wants of the capacity.
type need struct {
	weight   float64
	deadline time.Duration // on the clock, 0 for none
	service  sched.Service
	priority int
	returned bool // it was in line here before: draining is no reason to refuse
	// of is whose it is, nil if nobody else may run it.
	of *invocation
}

// unmeasured is the service time assumed of a function that never ran here.
const unmeasured = 100 * time.Millisecond

func (n *need) mean() time.Duration {
	if n.service.Mean > 0 {
		return n.service.Mean
	}
	return unmeasured
}

// expected is its service, guessed if it never ran here.
func (n *need) expected() sched.Service {
	if n.service.Mean > 0 {
		return n.service
	}
	return sched.Service{Mean: unmeasured, Spread: 1}
}

func (n *need) entry(arrived, wait time.Duration) sched.Entry {
	return sched.Entry{
		Arrived: arrived, Deadline: n.deadline, Wait: wait,
		Mean: n.mean(), Fast: n.service.P10, Spread: n.service.Spread, Weight: n.weight, Priority: n.priority,
	}
}

// acquire is take, into a slot of its own.
func (s *slots) acquire(ctx context.Context, n need) (*slot, error) {
	g := new(slot)
	if err := s.take(ctx, g, n, s.clock()); err != nil {
		return nil, err
	}
	return g, nil
}

// take grants a slot, at once or after waiting in line from now on. Its error is an
// *invoke.Error: refused (no room), expired, or the context's cause.
func (s *slots) take(ctx context.Context, g *slot, n need, now time.Duration) error {
	s.mu.Lock()
	if err := s.admissible(n.returned); err != nil {
		s.mu.Unlock()
		return err
	}
	if s.queue.Len() == 0 && s.fits(n.weight) {
		*g = slot{of: s, need: n, token: s.hold(&n, now), holds: true}
		s.mu.Unlock()
		return nil
	}
	w := &waiter{need: n, arrived: now, granted: make(chan error, 1)}
	wait := s.wait(now)
	handle, err := s.queue.Push(w, n.entry(now, wait))
	s.mu.Unlock()
	if err != nil {
		return &invoke.Error{Code: invoke.CodeRefused, Text: err.Error(), RetryAfter: wait}
	}
	return s.await(ctx, g, w, handle)
}

func (s *slots) await(ctx context.Context, g *slot, w *waiter, handle sched.Handle) error {
	var expiry <-chan time.Time
	if w.need.deadline > 0 {
		t := time.NewTimer(w.need.deadline - w.arrived)
		defer t.Stop()
		expiry = t.C
	}
	select {
	case err := <-w.granted:
		return s.granted(g, w, err)
	case <-ctx.Done():
	case <-expiry:
	}
	s.mu.Lock()
	_, removed := s.queue.Remove(handle)
	s.next(s.clock()) // what waited behind it may fit; it also expires
	s.mu.Unlock()
	if !removed { // granted or expired at the same moment
		if err := s.granted(g, w, <-w.granted); err != nil {
			return err
		}
		g.release()
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return expired(s.clock() - w.arrived)
}

func (s *slots) granted(g *slot, w *waiter, err error) error {
	if err == nil {
		*g = slot{of: s, need: w.need, token: w.token, holds: true, waited: s.clock() - w.arrived}
	}
	return err
}

func expired(waited time.Duration) error {
	return &invoke.Error{Code: invoke.CodeExpired, Text: fmt.Sprintf("waited %v for a server and could not be on time any more", waited.Round(time.Millisecond))}
}

// admissible is called with mu held.
func (s *slots) admissible(returned bool) error {
	if s.closing && !returned {
		return draining()
	}
	if s.open >= s.maxOpen {
		return &invoke.Error{
			Code:       invoke.CodeRefused,
			Text:       fmt.Sprintf("%d invocations are open here, the most allowed; try later or raise --max-open", s.open),
			RetryAfter: time.Second,
		}
	}
	return nil
}

// fits is called with mu held. Something always fits an empty node, whatever its weight.
func (s *slots) fits(weight float64) bool {
	return s.running == 0 || s.busy+weight <= s.servers+weightSlack
}

// hold is called with mu held.
func (s *slots) hold(n *need, now time.Duration) (token int) {
	s.busy += n.weight
	s.running++
	s.kinds.add(n, 1)
	s.open++
	return s.runs.Start(now, n.expected())
}

// borrow grants a slot that takes no server: for calls made by a function that
// holds one already, which would otherwise wait for itself.
func (s *slots) borrow() *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	return &slot{of: s}
}

// detach gives the server back while the invocation streams on.
func (g *slot) detach() {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	if g.holds && !g.released {
		g.free()
		g.of.next(g.of.clock())
	}
}

func (g *slot) free() {
	g.holds = false
	g.of.busy -= g.need.weight
	g.of.runs.End(g.token)
	g.of.running--
	g.of.kinds.add(&g.need, -1)
	if g.of.running == 0 {
		g.of.busy = 0 // no drift of rounding
	}
}

// release gives the slot back; a second call does nothing.
func (g *slot) release() { g.releaseAt(g.of.clock()) }

func (g *slot) releaseAt(now time.Duration) {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	if g.released {
		return
	}
	g.released = true
	if g.then != nil {
		g.then()
	}
	g.of.open--
	if g.holds {
		g.free()
	}
	g.of.next(now)
}

// next starts what waits as far as it fits. It is called with mu held.
func (s *slots) next(now time.Duration) {
	s.expire(now) // so that Pop takes out what Peek has shown
	for {
		w, ok := s.queue.Peek(now)
		if !ok {
			s.tell(s.idle)
			return
		}
		if !s.fits(w.need.weight) {
			return
		}
		_, _ = s.queue.Pop(now)
		w.token = s.hold(&w.need, now)
		w.granted <- nil
	}
}

// expire ends the wait of those that can no longer be on time, with mu held.
func (s *slots) expire(now time.Duration) {
	for _, w := range s.queue.Expire(now) {
		w.granted <- expired(now - w.arrived)
	}
}

// tell is called with mu held.
func (s *slots) tell(whom chan<- struct{}) {
	if !s.hasFree() || s.closing {
		return
	}
	select {
	case whom <- struct{}{}:
	default:
	}
}

// look has an idle node look for work once more.
func (s *slots) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.Len() == 0 {
		s.tell(s.news)
	}
}

func draining() error {
	return &invoke.Error{Code: invoke.CodeDraining, Text: "this node is going away; ask another"}
}

// drain refuses newcomers from now on, and gives back what waits in line, so
// that it may go elsewhere; if it cannot, it comes back.
func (s *slots) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for {
		w, ok := s.queue.Pop(s.clock())
		if !ok {
			break
		}
		w.granted <- errReturned
	}
	s.expire(s.clock())
}

// errReturned is told to what waited when the node began to drain.
var errReturned = &invoke.Error{Code: invoke.CodeDraining, Text: "this node began to drain while it waited"}

func (s *slots) draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

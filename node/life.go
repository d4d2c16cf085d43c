package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// life is an invocation's context. It ends with its caller's, when a time limit
// has passed, or with the invocation. It does what those of package context do;
// made of them it would take a dozen allocations on each node of the way.
//
// Who wants to be told of the end without a goroutine, a channel or any memory
// calls Watch.
type life struct {
	context.Context               // the caller's
	ends            time.Duration // its deadline on the clock of alarms, 0 for none
	unwatch         func() bool   // the caller's end; nil if that is watched otherwise
	alarms          *alarms
	alarm           *alarm // nil once it is of no use

	mu       sync.Mutex    // guards what follows
	done     chan struct{} // made when somebody asks
	err      error         // set: it is over
	watchers []watcher
	first    [1]watcher // memory of watchers
}

// watcher is told of an end on a goroutine of its own.
type watcher = interface{ Interrupt() }

// watched is a context that can be watched without taking memory. Of the calls of
// Interrupt and a true result of Unwatch there is exactly one.
type watched interface {
	Watch(w watcher)
	Unwatch(w watcher) bool
}

// afterFuncer is what package context looks for in contexts of others' making.
type afterFuncer interface {
	AfterFunc(f func()) (stop func() bool)
}

// live begins the invocation's life, within ctx and a time limit. With a deadline
// that is all of it; without one, only the wait for the answer's header.
func (inv *invocation) live(ctx context.Context, alarms *alarms) context.Context {
	limit := inv.at + headerLimit
	if inv.deadline > 0 {
		limit = inv.deadline
	}
	inv.life.ends = inv.deadline
	inv.life.begin(ctx, limit, alarms)
	return &inv.life
}

// begin gives l its caller's context and a limit. It must be over some time.
func (l *life) begin(ctx context.Context, limit time.Duration, alarms *alarms) {
	l.Context, l.alarms, l.watchers = ctx, alarms, l.first[:0]
	switch own := ctx.(type) {
	case watched:
		own.Watch((*callersEnd)(l))
	case afterFuncer:
		l.unwatch = own.AfterFunc(l.callerEnded)
	default:
		if ctx.Done() != nil {
			l.unwatch = context.AfterFunc(ctx, l.callerEnded)
		}
	}
	l.alarm = alarms.set(limit, l)
}

// Deadline implements context.Context.
func (l *life) Deadline() (time.Time, bool) {
	d, ok := l.Context.Deadline()
	if l.ends == 0 {
		return d, ok
	}
	if own := time.Now().Add(l.ends - l.alarms.clock()); !ok || own.Before(d) {
		return own, true
	}
	return d, true
}

// Done implements context.Context.
func (l *life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = make(chan struct{})
		if l.err != nil {
			close(l.done)
		}
	}
	return l.done
}

// Err implements context.Context. What it returns is the cause as well.
func (l *life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	return l.Context.Err() // callerEnded may still be on its way
}

// Watch has w interrupted at the end, unless it is taken back before.
func (l *life) Watch(w watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		go w.Interrupt()
		return
	}
	l.watchers = append(l.watchers, w)
}

// Unwatch takes a Watch back; false if it was too late, or there was none.
func (l *life) Unwatch(w watcher) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.watchers, w)
	if i < 0 {
		return false
	}
	l.watchers = slices.Delete(l.watchers, i, i+1)
	return true
}

// AfterFunc is context.AfterFunc, which looks for it.
func (l *life) AfterFunc(f func()) (stop func() bool) {
	w := &afterFunc{f}
	l.Watch(w)
	return func() bool { return l.Unwatch(w) }
}

type afterFunc struct{ f func() }

func (a *afterFunc) Interrupt() { a.f() }

// Interrupt is called when the limit has passed.
func (l *life) Interrupt() { l.end(&tooLate) }

func (l *life) callerEnded() { l.end(l.Context.Err()) }

// callersEnd is a life as it watches its caller's context.
type callersEnd life

func (c *callersEnd) Interrupt() { (*life)(c).callerEnded() }

// disarm takes the limit away.
func (l *life) disarm() {
	l.alarm.stop(l.alarms)
	l.alarm = nil
}

// over frees what l holds, and ends what still hangs on it.
func (l *life) over() {
	if l.Context == nil {
		return // it never began
	}
	l.disarm()
	if l.unwatch != nil {
		l.unwatch()
	} else if own, ok := l.Context.(watched); ok {
		own.Unwatch((*callersEnd)(l))
	}
	l.end(context.Canceled)
}

func (l *life) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = err
	if l.done != nil {
		close(l.done)
	}
	for _, w := range l.watchers {
		go w.Interrupt()
	}
	l.watchers = nil
}

// late is the end by a limit of this node's.
type late struct{ told invoke.Error }

var tooLate = late{invoke.Error{Code: invoke.CodeDeadline, Text: "no answer within the deadline"}}

func (e *late) Error() string { return e.told.Error() }

// Unwrap has it be what package context would say too.
func (e *late) Unwrap() []error { return []error{&e.told, context.DeadlineExceeded} }

package node

import (
	"context"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// life is an invocation's context. It ends with its caller's, when a time limit
// has passed, or with the invocation. It does what those of package context do;
// made of them it would take a dozen allocations on each node of the way.
//
// Who wants to be told of the end without a goroutine and a channel calls AfterFunc,
// which costs the function that it returns.
type life struct {
	context.Context // the caller's
	deadline        time.Time
	unwatch         func() bool // the caller's end; nil if it has none
	alarms          *alarms
	alarm           *alarm // nil once it is of no use

	mu    sync.Mutex    // guards what follows
	done  chan struct{} // made when somebody asks
	err   error         // set: it is over
	hooks []func()      // nil for those that were stopped
	first [2]func()     // memory of hooks
}

// afterFuncer is what package context looks for in contexts of others' making.
type afterFuncer interface {
	AfterFunc(f func()) (stop func() bool)
}

// live begins the invocation's life, within ctx and a time limit. With a deadline
// that is all of it; without one, only the wait for the answer's header.
func (inv *invocation) live(ctx context.Context, now time.Duration, alarms *alarms) context.Context {
	limit := headerLimit
	if inv.deadline > 0 {
		limit = inv.deadline - now
		inv.life.deadline = time.Now().Add(limit)
	}
	inv.life.begin(ctx, limit, alarms)
	return &inv.life
}

// begin gives l its caller's context and a limit. It must be over some time.
func (l *life) begin(ctx context.Context, limit time.Duration, alarms *alarms) {
	l.Context, l.alarms, l.hooks = ctx, alarms, l.first[:0]
	if own, ok := ctx.(afterFuncer); ok {
		l.unwatch = own.AfterFunc(l.callerEnded)
	} else if ctx.Done() != nil {
		l.unwatch = context.AfterFunc(ctx, l.callerEnded)
	}
	l.alarm = alarms.set(limit, l)
}

// Deadline implements context.Context.
func (l *life) Deadline() (time.Time, bool) {
	d, ok := l.Context.Deadline()
	if l.deadline.IsZero() || ok && d.Before(l.deadline) {
		return d, ok
	}
	return l.deadline, true
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

// AfterFunc is context.AfterFunc, which looks for it.
func (l *life) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		go f()
		return func() bool { return false }
	}
	at := len(l.hooks)
	l.hooks = append(l.hooks, f)
	return func() bool { return l.unhook(at) }
}

func (l *life) unhook(at int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at >= len(l.hooks) || l.hooks[at] == nil {
		return false
	}
	l.hooks[at] = nil
	return true
}

// Interrupt is called when the limit has passed.
func (l *life) Interrupt() { l.end(&tooLate) }

func (l *life) callerEnded() { l.end(l.Context.Err()) }

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
	for _, f := range l.hooks {
		if f != nil {
			go f()
		}
	}
	l.hooks = nil
}

// late is the end by a limit of this node's.
type late struct{ told invoke.Error }

var tooLate = late{invoke.Error{Code: invoke.CodeDeadline, Text: "no answer within the deadline"}}

func (e *late) Error() string { return e.told.Error() }

// Unwrap has it be what package context would say too.
func (e *late) Unwrap() []error { return []error{&e.told, context.DeadlineExceeded} }

// alarms are timers to be used again. The zero value is ready.
type alarms struct{ unused sync.Pool }

// alarm interrupts somebody, unless it is stopped before.
type alarm struct {
	timer *time.Timer
	whom  invoke.Interrupter
}

func (a *alarms) set(d time.Duration, whom invoke.Interrupter) *alarm {
	if old, ok := a.unused.Get().(*alarm); ok {
		old.whom = whom
		old.timer.Reset(d)
		return old
	}
	alarm := &alarm{whom: whom}
	alarm.timer = time.AfterFunc(d, func() { alarm.whom.Interrupt() })
	return alarm
}

// stop is for the one who has set the alarm. One that has gone off is not used
// again: it may still be at it.
func (a *alarm) stop(to *alarms) {
	if a != nil && a.timer.Stop() {
		a.whom = nil
		to.unused.Put(a)
	}
}

package async

import (
	"container/heap"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// lookAgain is when the foreman looks again whether there is room, if nobody
// wakes it before: other nodes' loads change without a word.
const lookAgain = 20 * time.Millisecond

// mostUnsaved bounds the outcomes that the disk does not take: beyond it nothing
// new is started.
const mostUnsaved = 64

// mostCallbacks bounds the callbacks under way to one host.
const mostCallbacks = 32

// foreman starts calls and callbacks when they are due and there is room.
func (e *Engine) foreman() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-e.run.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
		if wait := e.startAll(time.Now()); wait >= 0 {
			timer.Reset(wait)
		}
	}
}

// startAll starts what may be started now, and tells when to look again, below 0
// for when woken.
func (e *Engine) startAll(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.quiet {
		return -1
	}
	e.fallDue(now)
	for u := e.underWay(); e.startRound(now, &u); {
	}
	e.prune()
	return e.nextLook(now)
}

// prune drops the lines in which nobody waits, and has another one go first next
// time.
func (e *Engine) prune() {
	maps.DeleteFunc(e.lines, func(_ string, l *line) bool { return l.idle() })
	e.order = slices.DeleteFunc(e.order, func(name string) bool { return e.lines[name] == nil })
	if len(e.order) > 1 {
		e.order = append(e.order[1:], e.order[0])
	}
}

// fallDue puts what is due into its line.
func (e *Engine) fallDue(now time.Time) {
	for len(e.later) > 0 && !e.later[0].due.After(now) {
		w := heap.Pop(&e.later).(waiting)
		if w.gen != w.entry.gen || w.under {
			continue
		}
		name := w.task()
		l := e.lines[name]
		if l == nil {
			most := mostWindow
			if w.state.Ended() {
				most = mostCallbacks
			}
			l = newLine(most)
			e.lines[name] = l
			e.order = append(e.order, name)
		}
		l.ready = append(l.ready, w.entry)
	}
}

// startRound starts one of each line that may, and tells whether there was any.
func (e *Engine) startRound(now time.Time, u *underWay) (any bool) {
	for _, name := range e.order {
		l, callback := e.lines[name], strings.HasPrefix(name, callbackTo)
		places := &u.running
		if callback {
			places = &u.posting
		}
		e.skipGone(l, name)
		if !l.open(now) || *places >= e.cfg.Running || e.unsaved.Load() > mostUnsaved {
			continue
		}
		if !callback && l.under > 0 && !e.cfg.Room(l.ready[0].function) {
			continue // one of each is always under way: it finds out what reports do not tell
		}
		*places++
		e.begin(l.start(), l, callback)
		any = true
	}
	return any
}

// underWay counts calls and callbacks.
type underWay struct{ running, posting int }

func (e *Engine) underWay() (u underWay) {
	for name, l := range e.lines {
		if strings.HasPrefix(name, callbackTo) {
			u.posting += l.under
		} else {
			u.running += l.under
		}
	}
	return u
}

// skipGone drops the first of a line as long as they have left it: cancelled,
// dropped, or already under way.
func (e *Engine) skipGone(l *line, name string) {
	for len(l.ready) > 0 {
		n := l.ready[0]
		if e.calls[n.id] == n && !n.under && !n.over() && n.task() == name {
			return
		}
		l.ready[0] = nil
		l.ready = l.ready[1:]
	}
}

// begin starts one, on a goroutine that ends with it or with Close.
func (e *Engine) begin(n *entry, l *line, callback bool) {
	n.gen++
	n.under = true
	var ctx context.Context
	ctx, n.cancel = context.WithCancelCause(e.run)
	work := e.post
	if !callback {
		work = e.attempt
		e.become(n, async.Running)
	}
	cancel := n.cancel
	e.workers.Go(func() {
		defer cancel(nil)
		work(ctx, n, l)
	})
}

// nextLook is called with mu held.
func (e *Engine) nextLook(now time.Time) time.Duration {
	next := time.Duration(-1)
	sooner := func(d time.Duration) {
		if next < 0 || d < next {
			next = max(d, 0)
		}
	}
	if len(e.later) > 0 {
		sooner(e.later[0].due.Sub(now))
	}
	for _, l := range e.lines {
		if len(l.ready) > 0 {
			sooner(max(lookAgain, l.until.Sub(now)))
		}
	}
	return next
}

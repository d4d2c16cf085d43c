package async

import (
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// settle writes what came of an attempt, and has done what is to be done next.
func (e *Engine) settle(n *entry, l *line, r *record, o *outcome) {
	now := time.Now()
	if r == nil { // it cannot be read: what is in memory is all there is
		r = &record{Call: async.Call{ID: n.id, Function: n.function}, At: now, Holder: n.holder}
	}
	policy := e.cfg.Retry(n.function)
	v := judge(o, r, &policy, e.missingFor(n.function, o.err, now))
	e.counts.outcome(v)
	if v.state == async.Queued && !v.counted {
		e.discard(n.seq, answer, o.result.part)
		e.putBack(n, l, &v, now)
		return
	}
	e.passed(l, v.carried, v.pause, now)
	if !v.answer {
		e.discard(n.seq, answer, o.result.part)
		o.result = spooled{}
	}
	r.apply(&v, o, now)
	if !e.settling(n) { // cancelled
		e.discard(n.seq, answer, o.result.part)
		e.done(n)
		return
	}
	if !e.persist(n, r, o.result) {
		return // the node ends
	}
	e.settled(n, r, now)
}

// putBack lets a call wait on that has not had its attempt. The disk knows it as
// one that waits: a refusal costs no write.
func (e *Engine) putBack(n *entry, l *line, v *verdict, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.heard(v.carried, v.pause, now)
	n.under, n.cancel = false, nil
	e.poke()
	if n.state == async.Cancelled || e.calls[n.id] != n {
		return
	}
	e.become(n, async.Queued)
	n.problem = v.problem
	if v.full {
		e.schedule(n, now.Add(e.cfg.fullPause))
		return
	}
	l.ready = slices.Insert(l.ready, 0, n) // it was first
}

// apply notes the verdict.
func (r *record) apply(v *verdict, o *outcome, now time.Time) {
	if v.counted {
		r.Attempts++
	}
	r.Problem, r.Took = v.problem, o.took
	if o.err == nil {
		r.Code = o.status
	}
	if v.answer {
		r.Answered, r.Header, r.Result = true, o.header, o.result.part
	}
	if !v.state.Ended() {
		r.State, r.Next = v.state, now.Add(v.wait)
		return
	}
	r.end(v.state, now)
	r.Callback.Due = r.Call.Callback != ""
	if r.Callback.Due {
		r.Next = now
	}
}

// missingFor tells how long a function has been found nowhere, by this process.
func (e *Engine) missingFor(function string, err error, now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if codeOf(err) != invoke.CodeNoFunction {
		delete(e.missing, function)
		return 0
	}
	since, ok := e.missing[function]
	if !ok {
		e.missing[function] = now
		return 0
	}
	return now.Sub(since)
}

// passed tells the line how an attempt fared; the place is free from then on.
func (e *Engine) passed(l *line, c carried, after time.Duration, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.heard(c, after, now)
	e.poke()
}

// settling tells whether an outcome shall still be written. From then on a
// cancellation waits for it.
func (e *Engine) settling(n *entry) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n.settling = true
	return n.state != async.Cancelled && e.calls[n.id] == n
}

// persist writes until the disk takes it: an outcome that is not on disk would
// be found out a second time. False: the node ends before.
func (e *Engine) persist(n *entry, r *record, result spooled) bool {
	for told := false; ; {
		err := e.put(n.seq, r, answer, result)
		if err == nil {
			if told {
				e.unsaved.Add(-1)
				log.Infow("an outcome that the disk did not take is written", "call", n.id)
			}
			return true
		}
		if !told {
			told = true
			e.unsaved.Add(1)
			log.Errorw("the outcome of an asynchronous call cannot be written, and is tried again; free some disk space", "call", n.id, "error", err)
		}
		select {
		case <-e.run.Done():
			e.discard(n.seq, answer, result.part)
			return false
		case <-time.After(e.cfg.retryWrite):
		}
	}
}

// settled makes an outcome that is on disk known in memory.
func (e *Engine) settled(n *entry, r *record, now time.Time) {
	e.mu.Lock()
	before := n.record
	n.take(r)
	e.space.give(before - n.record) // it has the answer's header now, or not any more
	n.under, n.settling, n.cancel, n.problem = false, false, nil, ""
	e.become(n, r.State)
	over := n.over()
	if over {
		e.retire(n, now)
	} else {
		e.schedule(n, r.Next)
	}
	unwanted := n.unwanted
	n.unwanted = false // of a dead letter it does not outlast being queued again
	e.mu.Unlock()
	if over {
		e.forget(n.keeper, n.id)
	} else if unwanted && !r.State.Ended() {
		_, _ = e.cancelOwn(n) // who asked was answered already; it may be tried again
	}
}

// done says that an attempt of a cancelled call is over.
func (e *Engine) done(n *entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n.under, n.settling, n.cancel = false, false, nil
}

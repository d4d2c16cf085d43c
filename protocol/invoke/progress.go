package invoke

import (
	"context"
	"time"
)

// tick runs when something is due: it tells progress, ends what is past its
// deadline, and gives up on bodies that do not end. It decides by what is current,
// so that one that is late, for an earlier invocation, does no harm.
func (st *inStream) tick() {
	now := time.Now()
	st.mu.Lock()
	in := st.cur
	if in == nil {
		st.mu.Unlock()
		return
	}
	drop := in.left && !now.Before(in.drainBy)
	st.ended = st.ended || drop
	late := !in.answered && in.late(now)
	apart := !in.left && !in.beside && (late || !now.Before(in.apart()))
	say := !in.answered && !now.Before(in.tell)
	if say {
		in.tell = now.Add(st.srv.cfg.ProgressEvery)
	}
	st.mu.Unlock()

	if drop {
		_ = st.stream.Close()
		return
	}
	if apart {
		st.putBeside(in)
	}
	if late {
		in.end(&Error{Code: CodeDeadline, Err: context.DeadlineExceeded})
	}
	st.mu.Lock()
	if st.cur == in {
		st.arm(in)
	}
	st.mu.Unlock()
	if say {
		st.trySayProgress(in)
	}
}

// late tells whether the deadline has passed, the first time only.
func (in *inbound) late(now time.Time) bool {
	return !in.ctx.deadline.IsZero() && !now.Before(in.ctx.deadline) && in.ctx.why() == nil
}

// arm sees to it that the stream is looked after when something is due for in; it
// needs mu. If it is before that, it is left so, and also when in has ended: there
// is nothing to do then. A timer set for each invocation would wake a thread for
// each, since it would mostly be the earliest of all.
func (st *inStream) arm(in *inbound) {
	due := in.due()
	if due.IsZero() || !st.due.IsZero() && !st.due.After(due) {
		return
	}
	st.srv.rounds.add(st, due, !st.due.IsZero())
	st.due = due
}

// due is when something is to be done for in next, zero for never. Only a deadline
// is kept to the moment.
func (in *inbound) due() (due time.Time) {
	if in.left {
		return in.st.srv.rounds.following(in.drainBy)
	}
	if !in.beside {
		due = in.apart()
	}
	if !in.answered {
		due = sooner(due, in.tell)
	}
	if !due.IsZero() {
		due = in.st.srv.rounds.following(due)
	}
	if !in.answered && in.ctx.why() == nil {
		due = sooner(due, in.ctx.deadline)
	}
	return due
}

// sooner is the earlier of two times, of which one may be none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// sayProgress waits for its turn.
func (st *inStream) sayProgress(in *inbound) {
	select {
	case st.turn <- struct{}{}:
		st.writeProgress(in)
	case <-in.ctx.Done():
	}
}

// trySayProgress leaves it if somebody else writes: the caller then hears from
// this node anyway.
func (st *inStream) trySayProgress(in *inbound) {
	select {
	case st.turn <- struct{}{}:
		st.writeProgress(in)
	default:
	}
}

// writeProgress has the turn and gives it back.
func (st *inStream) writeProgress(in *inbound) {
	defer st.endTurn()
	st.mu.Lock()
	quiet := in.answered || in.takenBack || st.cur != in
	has := in.phase == started
	if !quiet {
		in.told = true
		in.saidGo = in.saidGo || has
	}
	st.mu.Unlock()
	if quiet {
		return
	}
	if _, err := st.stream.Write(appendProgress(st.small[:0], has, st.fill())); err != nil {
		in.end(&Error{Code: callerCode(err), Remote: true, Err: err})
	}
}

// sayCancelResult answers a CANCEL_IF_QUEUED, unless the answer has begun
// meanwhile: then that is the reply.
func (st *inStream) sayCancelResult(in *inbound, cancelled bool) {
	st.turn <- struct{}{}
	defer st.endTurn()
	st.mu.Lock()
	quiet := in.answered
	st.mu.Unlock()
	if quiet {
		return
	}
	if _, err := st.stream.Write(appendCancelResult(st.small[:0], cancelled)); err != nil {
		in.end(&Error{Code: callerCode(err), Remote: true, Err: err})
	}
}

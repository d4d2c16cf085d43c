package invoke

import (
	"context"
	"time"
)

// tick runs when the stream's timer fires: it tells progress, ends what is past
// its deadline, and gives up on bodies that do not end. It decides by what is
// current, so that a late timer of an earlier invocation does no harm.
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
	apart := !in.left && !in.beside && (late || !now.Before(in.apart))
	say := !in.answered && !now.Before(in.tell)
	if say {
		in.tell = now.Add(st.srv.cfg.ProgressEvery)
	}
	if !drop {
		st.arm(in, now)
	}
	st.mu.Unlock()

	if drop {
		_ = st.stream.Close()
	}
	if apart {
		st.putBeside(in)
	}
	if late {
		in.end(&Error{Code: CodeDeadline, Err: context.DeadlineExceeded})
	}
	if say {
		st.trySayProgress(in)
	}
}

// late tells whether the deadline has passed, the first time only.
func (in *inbound) late(now time.Time) bool {
	return !in.ctx.deadline.IsZero() && !now.Before(in.ctx.deadline) && in.ctx.why() == nil
}

// arm sets the timer for what comes next; it needs mu.
func (st *inStream) arm(in *inbound, now time.Time) {
	switch {
	case in.left:
		st.timer.Reset(max(0, in.drainBy.Sub(now)))
	case in.answered:
	default:
		next := in.tell
		if !in.beside && in.apart.After(now) && in.apart.Before(next) {
			next = in.apart
		}
		if d := in.ctx.deadline; d.After(now) && d.Before(next) {
			next = d
		}
		st.timer.Reset(max(0, next.Sub(now)))
	}
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

package invoke

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// phase is how far an inbound invocation has come.
type phase uint8

const (
	queued phase = iota
	held         // on its way elsewhere: cannot be taken back, has not started
	started
)

// inbound is one invocation on an inStream. What is said to be guarded is
// guarded by the stream's mu.
type inbound struct {
	Call
	st     *inStream
	ctx    callCtx
	body   body
	refuse *Error // set if it is not even shown to the handler

	phase     phase // guarded
	takenBack bool  // guarded
	// answered: no progress and no cancel result any more. Guarded, and set by
	// whoever holds the turn only.
	answered  bool
	over      bool      // the last byte of the answer is being written; guarded
	told      bool      // a progress has been sent; guarded
	saidGo    bool      // it said started; guarded
	running   bool      // the handler has been called, or is about to be; guarded
	beside    bool      // a second goroutine has been started for it; guarded
	tell      time.Time // when to send the next progress; guarded
	left      bool      // nothing more is written for it; guarded
	drainBy   time.Time // when to give up on the rest of the body; guarded
	discarded int64     // the reader's

	conn Conn // of an upgraded stream; guarded

	// Room for what most requests have, so that it takes no memory of its own.
	fields [6]Field
	hops   [2]peer.ID
}

func (st *inStream) newInbound() *inbound {
	in := &inbound{st: st}
	in.Call.in = in
	in.From = st.peer
	in.Header, in.Hops = in.fields[:0], in.hops[:0]
	in.ctx.told = in.ctx.room[:0]
	return in
}

// begin prepares what a parsed header promises.
func (in *inbound) begin() {
	in.Received = time.Now()
	if in.Deadline > 0 {
		in.ctx.deadline = in.Received.Add(in.Deadline)
	}
	in.tell = in.Received.Add(in.st.srv.cfg.ProgressAfter)
	var stall func()
	if in.Size < 0 || in.Size > FirstWindow {
		stall = in.stalled
	}
	in.body.init(in.Size, stall)
	in.Body = &in.body
	if in.Size < 0 {
		in.Trailer = in.body.trailers
	}
}

// apart is when a second goroutine is to be started for it.
func (in *inbound) apart() time.Time { return in.Received.Add(besideAfter) }

// end fails what the handler still does; the first cause counts.
func (in *inbound) end(cause *Error) {
	in.ctx.end(cause)
	in.body.fail(cause)
}

// advance moves on to phase p, unless the invocation has been taken back or
// cancelled.
func (in *inbound) advance(p phase) bool {
	ok, say := in.move(p)
	if say {
		in.st.sayProgress(in)
	}
	return ok
}

// stalled is advance(started) for a handler that reads on. It does not wait for
// its turn: that may be with an answer which waits for this body, and then the
// caller knows.
func (in *inbound) stalled() {
	if _, say := in.move(started); say {
		in.st.trySayProgress(in)
	}
}

// move also tells whether the caller is to be told.
func (in *inbound) move(p phase) (ok, say bool) {
	in.st.mu.Lock()
	defer in.st.mu.Unlock()
	if in.takenBack || in.ctx.why() != nil {
		return false, false
	}
	in.phase = max(in.phase, p)
	say = p == started && !in.saidGo && !in.answered && (in.told || in.awaited())
	in.saidGo = in.saidGo || say
	return true, say
}

// claim is advance(started) for an answer that is there: it says nothing, since
// the answer will, and does not mind that the deadline has passed.
func (in *inbound) claim() bool {
	in.st.mu.Lock()
	defer in.st.mu.Unlock()
	if in.takenBack {
		return false
	}
	in.phase = started
	return true
}

// awaited tells whether the caller holds back a part of the body until it
// hears that the invocation has started.
func (in *inbound) awaited() bool {
	if in.Size >= 0 && in.Size <= FirstWindow {
		return false
	}
	whole, _ := in.body.complete()
	return !whole
}

// takeBack decides what a CANCEL_IF_QUEUED comes to; reply is false if it came
// too late to be answered.
func (in *inbound) takeBack() (cancelled, reply bool) {
	in.st.mu.Lock()
	defer in.st.mu.Unlock()
	if in.answered || in.takenBack {
		return false, false
	}
	in.takenBack = in.phase == queued
	return in.takenBack, true
}

// settled tells whether the next request may come: the answer is being
// finished, or there will be none.
func (in *inbound) settled() bool {
	in.st.mu.Lock()
	defer in.st.mu.Unlock()
	return in.over || in.takenBack
}

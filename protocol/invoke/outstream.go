package invoke

import (
	"container/list"
	"context"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// outStream is a kept stream on the client's side. One Exchange at a time has
// it.
type outStream struct {
	peer   peer.ID
	stream network.Stream
	src    source
	news   load.News // to tell
	heard  load.News
	used   bool // an answer has come over it
	clean  bool // both sides have ended it: there is nothing to reset

	// The timer, made when first needed, and the context's hook are the same for all
	// the Exchanges that have the stream in turn: they concern the owner. One that is
	// late finds it over, for a stream is kept only if both were stopped in time.
	owner    atomic.Pointer[Exchange]
	timer    *time.Timer
	ctxEnded func() // Interrupt

	// Guarded by the Client's mu:
	since time.Time // busy or idle since
	long  bool      // busy for so long that it does not count
	place *list.Element
}

func newOutStream(p peer.ID, s network.Stream) *outStream {
	st := &outStream{peer: p, stream: s, src: source{r: s, buf: make([]byte, bufSize)}}
	st.ctxEnded = st.Interrupt
	return st
}

// limit gives x up after d, unless the timer is stopped.
func (st *outStream) limit(x *Exchange, d time.Duration) {
	st.owner.Store(x)
	if st.timer != nil {
		st.timer.Reset(d)
		return
	}
	st.timer = time.AfterFunc(d, func() { st.owner.Load().deadlinePassed() })
}

// watched is a context that tells of its end without taking memory; see [watcher].
type watched interface {
	Watch(w watcher)
	Unwatch(w watcher) bool
}

// hook gives x up when its context ends, until it is unhooked.
func (st *outStream) hook(x *Exchange) {
	st.owner.Store(x)
	if own, ok := x.ctx.(watched); ok {
		x.hooked = st
		own.Watch(st)
	} else if x.ctx.Done() != nil {
		x.hooked, x.unhook = st, context.AfterFunc(x.ctx, st.ctxEnded)
	}
}

// unhooked is false if the context has ended: the stream may still be reset then.
func (x *Exchange) unhooked() bool {
	switch {
	case x.hooked == nil:
		return true
	case x.unhook != nil:
		return x.unhook()
	}
	return x.ctx.(watched).Unwatch(x.hooked)
}

// Interrupt is called when the context of the owner has ended.
func (st *outStream) Interrupt() { st.owner.Load().ctxEnded() }

// close ends an unused stream in good order.
func (st *outStream) close() { _ = st.stream.Close() }

// discard ends a stream that cannot be kept.
func (st *outStream) discard(code Code) {
	if st.clean {
		_ = st.stream.Close()
		return
	}
	_ = st.stream.ResetWithError(network.StreamErrorCode(code))
}

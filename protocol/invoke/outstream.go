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

	// The timer and the context's hook are made when first needed, for all the
	// Exchanges that have the stream in turn: they concern the owner. One that is
	// late finds it over, for a stream is kept only if both were stopped in time.
	owner    atomic.Pointer[Exchange]
	timer    *time.Timer
	ctxEnded func()

	// Guarded by the Client's mu:
	since time.Time // busy or idle since
	long  bool      // busy for so long that it does not count
	place *list.Element
}

func newOutStream(p peer.ID, s network.Stream) *outStream {
	return &outStream{peer: p, stream: s, src: source{r: s, buf: make([]byte, bufSize)}}
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

// hook gives x up when its context ends, unless the hook is stopped. It is nil for
// a context that never ends.
func (st *outStream) hook(x *Exchange) (stop func() bool) {
	st.owner.Store(x)
	if st.ctxEnded == nil {
		st.ctxEnded = func() { st.owner.Load().ctxEnded() }
	}
	if own, ok := x.ctx.(interface {
		AfterFunc(f func()) (stop func() bool)
	}); ok {
		return own.AfterFunc(st.ctxEnded) // package context would wrap it in four more allocations
	}
	if x.ctx.Done() == nil {
		return nil
	}
	return context.AfterFunc(x.ctx, st.ctxEnded)
}

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

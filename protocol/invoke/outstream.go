package invoke

import (
	"container/list"
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

	timer *time.Timer // made when first needed
	owner atomic.Pointer[Exchange]

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

package host

import "github.com/p2pfaas/p2pfaas/protocol/mux"

const (
	// streamWindow bounds what one stream may have under way, in bytes. It begins
	// with openWindow, on small machines with firstWindow, and grows if the round
	// trip is long.
	streamWindow      = 16 << 20
	streamWindowSmall = 4 << 20
	// openWindow is enough for most bodies to be sent without waiting for the
	// other side.
	openWindow  = 1 << 20
	firstWindow = mux.MinWindow
)

func newMuxer(small, yield bool) *mux.Multiplexer {
	c := mux.Config{FirstWindow: firstWindowOf(small), MaxWindow: streamWindow, NeverYield: !yield}
	if small {
		c.MaxWindow = streamWindowSmall
	}
	return mux.New(c)
}

func firstWindowOf(small bool) int {
	if small {
		return firstWindow
	}
	return openWindow
}

package mux

import (
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// receipts is how much the other side may send. At any time granted, what is
// received and not read, and what is read but not granted anew make up target.
type receipts struct {
	target   int
	granted  int
	since    time.Time // the last grant
	reserved int       // in the session's span
}

// moreWindow is the priority of all but a stream's first MinWindow: it is refused
// once half of the memory is taken.
const moreWindow = network.ReservationPriorityMedium

func (st *Stream) reserve() error {
	if err := st.s.span.ReserveMemory(MinWindow, network.ReservationPriorityAlways); err != nil {
		return err
	}
	st.granted, st.target, st.reserved = MinWindow, MinWindow, MinWindow
	return nil
}

// enlarge makes target size, if there is memory for it.
func (st *Stream) enlarge(size int, prio uint8) {
	more := size - st.target
	if more <= 0 || st.s.span.ReserveMemory(more, prio) != nil {
		return
	}
	st.target = size
	st.reserved += more
}

func (st *Stream) release() {
	if st.s.err == nil { // else all of it has been
		st.s.span.ReleaseMemory(st.reserved)
	}
}

// grantFirst tells the other side of the stream, and of its first window.
func (st *Stream) grantFirst(flag uint16) {
	st.enlarge(st.s.cfg.FirstWindow, network.ReservationPriorityHigh)
	st.grant(flag, time.Now())
}

// grant allows what is missing.
func (st *Stream) grant(flags uint16, now time.Time) {
	n := st.target - st.granted - st.received.size
	st.granted += n
	st.since = now
	st.s.control(header{kind: kindWindow, flags: flags, id: st.id, length: uint32(n)})
}

// consumed is told that n bytes have been read. Once half of the window has, they
// are granted anew; if that took less than four round trips, the window is what
// holds the other side up, and grows.
func (st *Stream) consumed(n int) {
	if !st.open || st.readErr != nil || st.target-st.granted-st.received.size < st.target/2 {
		return
	}
	now := time.Now()
	if now.Sub(st.since) < 4*st.s.rtt {
		st.enlarge(min(2*st.target, st.s.cfg.MaxWindow), moreWindow)
	}
	st.grant(0, now)
}

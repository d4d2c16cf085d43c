package mux

import (
	"io"
	"os"
)

// Read waits for at least one byte. With an empty p it does not wait, but tells
// whether the stream has been reset, or its connection lost, or has ended and has
// been read.
func (st *Stream) Read(p []byte) (int, error) {
	st.reading.Lock()
	defer st.reading.Unlock()
	for {
		n, wait, receive, err := st.readOrPark(p)
		if !wait {
			return n, err
		}
		if receive {
			st.s.receiver.receiveFor(st)
		}
		<-st.readUp
		if st.got > 0 { // only ours: nobody else writes it until the next wait
			return st.got, nil
		}
	}
}

// readOrPark leaves p to be filled if wait, by the caller itself if receive.
func (st *Stream) readOrPark(p []byte) (n int, wait, receive bool, err error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	switch {
	case st.readErr != nil && (st.received.size == 0 || len(p) == 0 && st.readErr != io.EOF):
		return 0, false, false, st.readErr
	case st.readBy.passed():
		return 0, false, false, os.ErrDeadlineExceeded
	case len(p) == 0:
		return 0, false, false, nil
	case st.received.size > 0:
		n = st.received.read(p)
		st.consumed(n)
		return n, false, false, nil
	}
	st.into = p
	st.readBy.arm(st, (*Stream).readExpired)
	return 0, true, st.mayReceive(), nil
}

// wakeReader ends the wait of a Read: with n bytes, or to look why.
func (st *Stream) wakeReader(n int) {
	if st.into != nil {
		st.into, st.got = nil, n
		st.readBy.disarm()
		st.readUp <- struct{}{}
	}
}

func (st *Stream) readExpired() {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	switch {
	case st.into == nil:
	case st.readBy.passed():
		st.wakeReader(0)
		st.poke()
	default:
		st.readBy.arm(st, (*Stream).readExpired) // it was moved
	}
}

// deliver hands p to the Read that waits, or keeps a copy. It is false if nobody
// will read it. The window has been found to be large enough.
func (st *Stream) deliver(p []byte) bool {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if st.readErr != nil {
		return false
	}
	st.granted -= len(p)
	n := copy(st.into, p)
	if n < len(p) {
		st.received.write(p[n:])
	}
	if n > 0 {
		st.consumed(n)
		st.wakeReader(n)
	}
	return true
}

// deliverSegment is deliver, of memory from the pool that is the stream's then.
func (st *Stream) deliverSegment(p []byte) bool {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if st.readErr != nil {
		return false
	}
	st.granted -= len(p)
	st.received.push(p)
	if st.into != nil {
		n := st.received.read(st.into)
		st.consumed(n)
		st.wakeReader(n)
	}
	return true
}

package mux

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// Stream is one of a session. Concurrent calls of Read, and of Write, are served
// one after the other.
type Stream struct {
	s       *Session
	id      uint32
	reading sync.Mutex // held by Read
	writing sync.Mutex // held by Write
	readUp  chan struct{}
	writeUp chan struct{}

	// What follows is guarded by s.mu.
	open     bool  // the session knows it
	unacked  bool  // it holds a place in s.opening
	readErr  error // of Read, once received is empty
	writeErr error // of Write

	received segments
	into     []byte // where the Read that waits wants the bytes
	got      int    // how many it got
	readBy   deadline
	receipts

	pending []byte // what Write has not handed over yet
	wrote   uint64 // s.written at its last Write
	parked  bool   // Write waits
	inLine  bool   // in s.line
	window  int64  // what may be sent
	writeBy deadline
}

var _ network.MuxedStream = (*Stream)(nil)

// newStream needs mu, as all below that have no word on it.
func (s *Session) newStream(id uint32) (*Stream, error) {
	st := &Stream{s: s, id: id, window: MinWindow, open: true,
		readUp: make(chan struct{}, 1), writeUp: make(chan struct{}, 1)}
	if err := st.reserve(); err != nil {
		return nil, err
	}
	s.streams[id] = st
	return st, nil
}

// forget takes the stream out of its session.
func (st *Stream) forget() {
	if !st.open {
		return
	}
	st.open = false
	delete(st.s.streams, st.id)
	st.acked()
	st.release()
}

func (st *Stream) acked() {
	if st.unacked {
		st.unacked = false
		<-st.s.opening
	}
}

// reset ends both directions that have not ended, at once.
func (st *Stream) reset(err error) {
	st.discard(err)
	st.failWrite(err)
	st.forget()
}

// lose does the same, but what has been received can still be read.
func (st *Stream) lose(err error) {
	st.failRead(err)
	st.failWrite(err)
	st.forget()
}

func (st *Stream) discard(err error) {
	if st.readErr == nil {
		st.received.clear()
	}
	st.failRead(err)
}

func (st *Stream) failRead(err error) {
	if st.readErr == nil {
		st.readErr = err
		st.wakeReader(0)
	}
}

func (st *Stream) failWrite(err error) {
	if st.writeErr == nil {
		st.writeErr = err
		st.wakeWriter()
	}
}

// forgetDone is called after one direction has ended.
func (st *Stream) forgetDone() {
	if st.readErr != nil && st.writeErr != nil {
		st.forget()
	}
}

// Close ends writing as CloseWrite does, and reading. The other side may go on to
// write as much as its window allows.
func (st *Stream) Close() error {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	st.discard(errReadClosed)
	st.poke()
	defer st.forgetDone()
	return st.finish()
}

// CloseRead ends reading; the other side is not told.
func (st *Stream) CloseRead() error {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	st.discard(errReadClosed)
	st.poke()
	st.forgetDone()
	return nil
}

// CloseWrite lets the other side read what has been written, and then an end. A
// Write that waits ends with ErrStreamClosed.
func (st *Stream) CloseWrite() error {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.finish()
}

func (st *Stream) finish() error {
	switch st.writeErr {
	case ErrStreamClosed:
		return nil
	case nil:
	default:
		return st.writeErr
	}
	st.failWrite(ErrStreamClosed)
	st.s.control(header{kind: kindWindow, flags: flagFIN, id: st.id})
	st.forgetDone()
	return nil
}

// Reset is ResetWithError(0).
func (st *Stream) Reset() error { return st.ResetWithError(0) }

// ResetWithError ends both directions at once, on both sides. What the other side
// has not read yet is lost.
func (st *Stream) ResetWithError(code network.StreamErrorCode) error {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if st.open {
		st.reset(resetError(uint32(code), false))
		st.poke()
		st.s.control(header{kind: kindWindow, flags: flagRST, id: st.id, length: uint32(code)})
	}
	return nil
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (st *Stream) SetDeadline(t time.Time) error {
	_ = st.SetReadDeadline(t) // neither fails
	return st.SetWriteDeadline(t)
}

// SetReadDeadline also holds for a Read that waits. A Read that ends so may be
// repeated.
func (st *Stream) SetReadDeadline(t time.Time) error {
	st.s.mu.Lock()
	st.readBy.at = t
	st.s.mu.Unlock()
	st.readExpired()
	return nil
}

// SetWriteDeadline also holds for a Write that waits. A Write that ends so tells
// how much of it will be sent.
func (st *Stream) SetWriteDeadline(t time.Time) error {
	st.s.mu.Lock()
	st.writeBy.at = t
	st.s.mu.Unlock()
	st.writeExpired()
	return nil
}

package mux

import (
	"errors"
	"fmt"
	"io"
	"math"

	pool "github.com/libp2p/go-buffer-pool"
	"github.com/libp2p/go-libp2p/core/network"
)

const (
	// readSize is what one read from the connection brings at most, if it is not
	// of one large frame. The connection keeps so much as long as it lasts.
	readSize = 8 << 10
	// maxSegment is the largest part of a body that is read at once.
	maxSegment = 64 << 10
)

// receiver takes the connection apart. It is of the session's goroutine, or of
// whom that lends it to.
type receiver struct {
	s      *Session
	buf    []byte
	lo, hi int  // buf[lo:hi] is read but not used
	large  bool // the last body did not fit into buf

	last   *Stream // that got the last frame, if it was small and waited for
	row    int     // how many it got in a row
	enough int     // for it to receive by itself
}

// receive is the receiving goroutine.
func (s *Session) receive() {
	defer close(s.received)
	err := s.receiver.frames()
	if errors.Is(err, errProtocol) {
		s.end(err, goAwayProtocol)
		return
	}
	s.end(s.reason(err), goAwayNormal)
}

// reason prefers what the other side said, then what we did ourselves.
func (s *Session) reason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, told := errors.AsType[*network.ConnError](err); told || s.cause == nil {
		return err
	}
	return s.cause
}

func (r *receiver) frames() error {
	for {
		if r.row >= r.enough && r.lo == r.hi && r.s.socket != nil {
			if err := r.s.lend(r.last); err != nil {
				return err
			}
		}
		for r.hi-r.lo < headerSize {
			if err := r.fill(); err != nil {
				return err
			}
		}
		h, err := parseHeader(r.buf[r.lo:])
		if err != nil {
			return err
		}
		r.lo += headerSize
		if err := r.frame(h); err != nil {
			return err
		}
	}
}

func (r *receiver) frame(h header) error {
	switch h.kind {
	case kindPing:
		r.s.handlePing(h)
		return nil
	case kindGoAway:
		return &network.ConnError{Remote: true, ErrorCode: network.ConnErrorCode(h.length), TransportError: errGoAway}
	}
	st, err := r.s.arrive(h)
	if err != nil {
		return err
	}
	if h.kind == kindData {
		if err := r.body(st, int(h.length)); err != nil {
			return err
		}
	}
	r.count(st, h)
	if st != nil && h.flags&(flagFIN|flagRST) != 0 {
		st.endedByPeer(h)
	}
	return nil
}

// count looks whether one stream is all that the connection carries.
func (r *receiver) count(st *Stream, h header) {
	switch {
	case st == nil || r.last != st || h.length > readSize/2:
		r.last, r.row = st, 0
	case h.kind == kindData:
		r.row++
	}
}

// fill waits for more bytes. The buffer must not be full. Among large frames it
// reads no more than a header, as their bodies need not go through the buffer.
func (r *receiver) fill() error {
	if r.lo > 0 {
		r.hi = copy(r.buf, r.buf[r.lo:r.hi])
		r.lo = 0
	}
	end := len(r.buf)
	if r.large && r.hi < headerSize {
		end = headerSize
	}
	n, err := r.s.conn.Read(r.buf[r.hi:end])
	r.hi += n
	return r.heard(n, err)
}

// heard counts, and sees to it that what TLS has answered by itself is sent.
func (r *receiver) heard(n int, err error) error {
	if n == 0 {
		return err
	}
	r.s.heard.Add(1)
	if !r.s.clear() {
		r.s.mu.Lock()
		r.s.kick()
		r.s.mu.Unlock()
	}
	return nil
}

// body reads n bytes, for st or for nobody.
func (r *receiver) body(st *Stream, n int) error {
	r.large = n >= len(r.buf)
	for n > 0 {
		if n >= len(r.buf) {
			m, err := r.segment(st, min(n, maxSegment))
			if err != nil {
				return err
			}
			n -= m
			continue
		}
		r.large = false
		if r.lo == r.hi {
			if err := r.fill(); err != nil {
				return err
			}
		}
		m := min(n, r.hi-r.lo)
		if st != nil && !st.deliver(r.buf[r.lo:r.lo+m]) {
			st = nil
		}
		r.lo += m
		n -= m
	}
	return nil
}

// segment reads n bytes, most of them past the buffer.
func (r *receiver) segment(st *Stream, n int) (int, error) {
	p := pool.Get(n)
	have := copy(p, r.buf[r.lo:r.hi])
	for r.lo += have; have < n; {
		m, err := r.s.conn.Read(p[have:])
		if err = r.heard(m, err); err != nil {
			pool.Put(p)
			return 0, err
		}
		have += m
	}
	if st == nil || !st.deliverSegment(p) {
		pool.Put(p)
	}
	return n, nil
}

// arrive finds or makes the stream of a frame, nil if there is none, and does
// what the header says at once.
func (s *Session) arrive(h header) (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.has(flagSYN) {
		if err := s.incoming(h.id); err != nil {
			return nil, err
		}
	}
	if h.kind == kindData && h.length > math.MaxInt32 {
		return nil, fmt.Errorf("%w: frame of %d bytes", errProtocol, h.length)
	}
	st := s.streams[h.id]
	if st == nil {
		return nil, nil // closed here, and the other side has not heard of it yet
	}
	if h.has(flagACK) {
		st.acked()
	}
	if h.kind == kindData {
		return st, st.check(int(h.length))
	}
	if !h.has(flagRST) {
		st.window += int64(h.length)
	}
	if st.ready() {
		s.lineUp(st)
		s.kick()
	}
	return st, nil
}

// incoming is of a stream that the other side opens. One that we have no memory
// or place for is reset.
func (s *Session) incoming(id uint32) error {
	if id == 0 || id%2 == s.nextID%2 {
		return fmt.Errorf("%w: it opens stream %d, which is for us to open", errProtocol, id)
	}
	if s.streams[id] != nil {
		return fmt.Errorf("%w: it opens stream %d twice", errProtocol, id)
	}
	if s.err != nil {
		return nil
	}
	st, err := s.newStream(id)
	if err == nil {
		select {
		case s.accepting <- st:
			return nil
		default:
			st.forget()
		}
	}
	s.control(header{kind: kindWindow, flags: flagRST, id: id, length: uint32(network.StreamResourceLimitExceeded)})
	return nil
}

// check compares a body with the window; it is taken off it bit by bit.
func (st *Stream) check(n int) error {
	if n > st.granted {
		return fmt.Errorf("%w: %d bytes on stream %d, whose window has %d", errProtocol, n, st.id, st.granted)
	}
	return nil
}

// endedByPeer is FIN or RST.
func (st *Stream) endedByPeer(h header) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	switch {
	case h.has(flagRST) && h.kind == kindWindow:
		st.reset(resetError(h.length, true))
	case h.has(flagRST):
		st.reset(errResetByData)
	default:
		st.failRead(io.EOF)
		st.forgetDone()
	}
}

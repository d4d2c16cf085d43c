package mux

import pool "github.com/libp2p/go-buffer-pool"

const (
	// maxBody is what a frame of ours carries at most: with its header four
	// records of TLS.
	maxBody = 64<<10 - headerSize
	// batchSize is how much of large writes is gathered at once; small ones may
	// join until it is maxOut. Frames without data are not held up by either, but
	// beyond maxControl more than a peer can cause that keeps to the protocol.
	batchSize  = 64 << 10
	maxOut     = 128 << 10
	maxControl = 512 << 10
	// smallWrite is the largest write that joins, and what those in line get of a
	// batch that small ones have filled.
	smallWrite = 16 << 10
	// minPart is the smallest part of a write that a frame is made of because
	// there is no room for more.
	minPart = 4 << 10
)

// outbox is what waits to be sent, first out, then what writes of the streams in
// line hold. Who sets sending sends all of it, or starts a goroutine that does: as
// long as something waits, sending is set, or somebody holds mu who is about to.
// Once the session has ended nothing is added. All of it is guarded by mu.
type outbox struct {
	sending bool
	broken  bool // nothing can be sent any more
	out     []byte
	pongs   int // in out
	usual   int // size of the last batch
	line    []*Stream
	batches uint64  // sent so far
	written uint64  // calls of Write
	between float64 // of them between two of a stream, on average
}

func (s *Session) waits() bool { return len(s.out) > 0 || len(s.line) > 0 || !s.clear() }

func (s *Session) clear() bool { return s.socket == nil || s.socket.clear() }

// control adds a frame without data. It never waits.
func (s *Session) control(h header) {
	if s.broken || s.err != nil {
		return
	}
	if len(s.out) > maxControl {
		s.breakOff(errFlood, 0)
		return
	}
	s.out = appendHeader(s.grow(headerSize), h)
	s.kick()
}

// grow returns out with room for n more bytes.
func (s *Session) grow(n int) []byte {
	need := len(s.out) + n
	if need <= cap(s.out) {
		return s.out
	}
	larger := pool.Get(max(need, min(2*cap(s.out), batchSize), s.usual))[:len(s.out)]
	copy(larger, s.out)
	pool.Put(s.out)
	return larger
}

// add makes frames of what st's Write holds, as far as st's window and limit
// allow, and lines st up for the rest.
func (s *Session) add(st *Stream, limit int) {
	for st.ready() && s.addFrame(st, limit) {
	}
	if st.ready() {
		s.lineUp(st)
	}
}

// addFrame adds one, if there is room for it.
func (s *Session) addFrame(st *Stream, limit int) bool {
	room := limit - len(s.out) - headerSize
	n := int(min(int64(len(st.pending)), st.window, maxBody))
	if n > room && room < minPart {
		return false
	}
	n = min(n, room)
	s.out = appendHeader(s.grow(headerSize+n), header{kind: kindData, id: st.id, length: uint32(n)})
	s.out = append(s.out, st.pending[:n]...)
	st.pending = st.pending[n:]
	st.window -= int64(n)
	if len(st.pending) == 0 {
		st.wakeWriter()
	}
	return true
}

func (s *Session) lineUp(st *Stream) {
	if !st.inLine {
		st.inLine = true
		s.line = append(s.line, st)
	}
}

// take returns what is to be sent next, in the end nil. Streams in line take turns.
func (s *Session) take() []byte {
	limit := max(batchSize, len(s.out)+smallWrite)
	for len(s.line) > 0 {
		st := s.line[0]
		if st.ready() && !s.addFrame(st, limit) {
			break
		}
		s.line[0] = nil
		s.line = s.line[1:]
		st.inLine = false
		if st.ready() {
			s.lineUp(st)
		}
	}
	batch := s.out
	s.out, s.pongs = nil, 0
	if len(batch) > 0 {
		s.usual = len(batch)
	}
	return batch
}

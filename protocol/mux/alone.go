package mux

import (
	"errors"
	"os"
	"time"
)

const (
	// aloneAfter is after how many small frames in a row for one stream, to a Read
	// that waited for them, its reader receives by itself.
	aloneAfter = 8
	// rarely is the most that aloneAfter grows to, where that does not last.
	rarely = 4096
	// worthwhile is how often it receives by itself, at least, where it does.
	worthwhile = 64
	// unanswered is after how many turns without a Write of its own it does no
	// longer: what comes for others behind what only flows in would wait for its reader.
	unanswered = 8
	// vacancy is how often is looked whether it still does; for twice as long at
	// most nobody receives.
	vacancy = time.Millisecond
)

// alone is the state of a connection that carries one stream at a time. Its reader
// then receives by itself: to have another goroutine wake it would take longer
// than all else that is done here. It is guarded by mu.
type alone struct {
	stream *Stream // that may receive, nil if the session's goroutine does
	busy   bool    // it does
	poked  bool    // and is to stop
	turns  uint64  // how often it has
	unsaid int     // turns since it wrote
	rested bool    // nobody looks any more whether it does: this turn takes long, and is its last
	err    error   // of the connection, which it met
	back   chan struct{}
}

// lend lets st receive until the session's goroutine has to do so again. Its error is of
// the connection.
func (s *Session) lend(st *Stream) error {
	if !s.lendTo(st) {
		return nil
	}
	watch := time.NewTicker(vacancy)
	defer watch.Stop()
	var seen uint64
	for {
		select {
		case <-s.alone.back:
			return s.tookBack()
		case <-s.ended:
			if !s.takeBack() {
				<-s.alone.back
			}
			return s.tookBack()
		case <-watch.C:
			if !s.idle(&seen) {
				continue
			}
			if s.takeBack() {
				return s.tookBack()
			}
			watch.Stop() // it waits: its turn's end wakes us
		}
	}
}

func (s *Session) lendTo(st *Stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || st.readErr != nil || st.into != nil || st.received.size > 0 {
		return false
	}
	s.alone = alone{stream: st, back: s.alone.back}
	return true
}

// idle tells whether no turn has ended since the last look.
func (s *Session) idle(seen *uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := *seen
	*seen = s.alone.turns
	return s.alone.turns == was
}

// takeBack is false if the stream is receiving, for the last time then, or has
// given back.
func (s *Session) takeBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alone.rested = s.alone.busy
	if s.alone.busy || s.alone.stream == nil {
		return false
	}
	s.alone.stream = nil
	return true
}

// tookBack decides how soon it is lent again.
func (s *Session) tookBack() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.receiver
	r.last, r.row = nil, 0
	if s.alone.turns >= worthwhile {
		r.enough = aloneAfter
	} else {
		r.enough = min(2*r.enough, rarely)
	}
	return s.alone.err
}

// mayReceive makes st's reader the one who receives, if it may. It needs mu.
func (st *Stream) mayReceive() bool {
	a := &st.s.alone
	if a.stream != st || a.busy {
		a.claim()
		return false
	}
	a.busy = true
	return true
}

// receiveFor receives until the Read of st that waits has something, or until
// something is there for others.
func (r *receiver) receiveFor(st *Stream) {
	var err error
	ours := true
	for err == nil && ours && len(st.readUp) == 0 {
		ours, err = r.frameFor(st)
	}
	r.s.receivedFor(st, ours && r.lo == r.hi, err)
}

// frameFor waits for a frame, and takes it if it is a small one for st. Until it
// is whole it stays in the buffer, where a read that is interrupted leaves it.
func (r *receiver) frameFor(st *Stream) (ours bool, err error) {
	for {
		if r.hi-r.lo >= headerSize {
			h, err := parseHeader(r.buf[r.lo:])
			if err != nil {
				return false, err
			}
			size := headerSize
			if h.kind == kindData {
				size += int(h.length)
			}
			if h.id != st.id || size > len(r.buf) {
				return false, nil
			}
			if r.hi-r.lo >= size {
				r.lo += headerSize
				return true, r.frame(h)
			}
		}
		if err := r.fill(); err != nil {
			return false, err
		}
	}
}

// receivedFor ends the turn of st, and gives back unless it may have another.
func (s *Session) receivedFor(st *Stream, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.alone
	a.busy = false
	a.turns++
	a.unsaid++
	more = more && !a.rested && a.unsaid < unanswered && st.readErr == nil
	if a.poked {
		a.poked, more = false, false
		if s.cause == nil {
			_ = s.conn.SetReadDeadline(time.Time{}) // if it fails so does the next read
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = nil
			}
		}
	}
	if more && err == nil {
		return
	}
	a.giveBack(err)
}

func (a *alone) giveBack(err error) {
	a.stream, a.err = nil, err
	a.back <- struct{}{}
}

// claim has the session's goroutine receive again, unless somebody does: st waits
// for what comes. It needs mu.
func (a *alone) claim() {
	if a.stream != nil && !a.busy {
		a.giveBack(nil)
	}
}

// poke has st's reader stop to receive: what it waits for has changed. It needs mu.
func (st *Stream) poke() {
	a := &st.s.alone
	switch {
	case a.stream != st:
	case !a.busy:
		a.giveBack(nil)
	case !a.poked && st.s.cause == nil: // else the connection's own deadline is near
		a.poked = true
		_ = st.s.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

package mux

import (
	"runtime"
	"time"

	pool "github.com/libp2p/go-buffer-pool"
)

const (
	// ownRounds is how often a goroutine sends besides its own frames what others
	// have added meanwhile.
	ownRounds = 2
	// lastWords is how long we read on, for the reason, once a write has failed.
	lastWords = 250 * time.Millisecond
)

// kick has sent what waits, by a goroutine.
func (s *Session) kick() {
	if s.sending || s.broken || s.err != nil {
		return
	}
	s.sending = true
	go s.send()
}

// sendNow sends what waits, unless somebody does, by the caller itself if that
// cannot be held up. It needs mu, and gives it up meanwhile.
func (s *Session) sendNow(st *Stream, crowded bool) {
	if s.sending || s.broken || !s.waits() {
		return
	}
	if s.socket == nil || !s.socket.clear() {
		s.kick()
		return
	}
	s.sending = true
	if crowded && !s.cfg.NeverYield {
		s.mu.Unlock()
		runtime.Gosched() // whoever is about to write adds to it
		s.mu.Lock()
	}
	for round := 0; s.waits(); round++ {
		if !s.socket.clear() || round >= ownRounds && !st.ready() {
			go s.send()
			return
		}
		if !s.sendBatch() {
			return
		}
	}
	s.stopSending()
}

// send is the goroutine that sends until nothing waits.
func (s *Session) send() {
	var err error
	if s.socket != nil {
		err = s.socket.wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.sendFailed(err)
		return
	}
	for s.waits() {
		if !s.sendBatch() {
			return
		}
	}
	if s.socket != nil {
		s.socket.beHasty()
	}
	s.stopSending()
}

// sendBatch gives mu up while it writes. It is false once nothing can be sent.
func (s *Session) sendBatch() bool {
	batch := s.take()
	if len(batch) == 0 {
		return true // those in line have given up
	}
	s.mu.Unlock()
	_, err := s.conn.Write(batch)
	pool.Put(batch)
	s.mu.Lock()
	s.batches++
	if err != nil {
		s.sendFailed(err)
	}
	return err == nil
}

func (s *Session) stopSending() {
	s.sending = false
	if s.err != nil {
		close(s.drained)
	}
}

// sendFailed ends the connection, not at once: the other side may have said why.
func (s *Session) sendFailed(err error) {
	s.broken = true
	s.out, s.line = nil, nil
	s.stopSending()
	s.breakOff(err, lastWords)
}

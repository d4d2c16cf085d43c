package mux

import "time"

// rttEvery is how often the round trip is measured, at least.
const rttEvery = 30 * time.Second

// pulse finds out whether the other side lives, and how far away it is.
type pulse struct {
	timer   *time.Timer
	rtt     time.Duration // 0: not known yet
	pinged  time.Time     // when the last ping was sent
	pingID  uint32
	pinging bool // it is not answered

	heardSoFar uint64 // of heard, at the last look
	heardAt    time.Time
	sentSoFar  uint64 // of progress, then
	sentThen   bool   // something was being sent then
	movedAt    time.Time
}

func (s *Session) startPulse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heardAt = time.Now()
	s.movedAt = s.heardAt
	s.timer = time.AfterFunc(s.cfg.KeepAlive/2, s.look)
	s.ping(s.heardAt)
}

func (s *Session) stopPulse() { s.timer.Stop() }

// look is called twice per KeepAlive.
func (s *Session) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	now := time.Now()
	if heard := s.heard.Load(); heard != s.heardSoFar {
		s.heardSoFar, s.heardAt = heard, now
	}
	if sent := s.progress(); !s.sending || !s.sentThen || sent != s.sentSoFar {
		s.sentSoFar, s.movedAt = sent, now
	}
	s.sentThen = s.sending
	s.judge(now)
	s.timer.Reset(s.cfg.KeepAlive / 2)
}

// progress grows with what is sent, where there is a Socket by each record of TLS.
func (s *Session) progress() uint64 {
	if s.socket == nil {
		return s.batches
	}
	return s.batches + s.socket.writes.Load()
}

func (s *Session) judge(now time.Time) {
	silent := now.Sub(s.heardAt)
	switch {
	case now.Sub(s.movedAt) >= s.cfg.Timeout:
		s.breakOff(ErrWriteTimeout, 0)
	case s.pinging && !s.heardAt.After(s.pinged) && now.Sub(s.pinged) >= s.cfg.Timeout:
		s.breakOff(ErrKeepAlive, 0)
	case !s.pinging && silent >= s.cfg.KeepAlive, now.Sub(s.pinged) >= rttEvery:
		s.ping(now)
	}
}

func (s *Session) ping(now time.Time) {
	s.pingID++
	s.pinging, s.pinged = true, now
	s.control(header{kind: kindPing, flags: flagSYN, length: s.pingID})
}

// maxPongs is how many pings are answered by one batch.
const maxPongs = 32

func (s *Session) handlePing(h header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case h.has(flagSYN) && s.pongs < maxPongs:
		s.pongs++
		s.control(header{kind: kindPing, flags: flagACK, length: h.length})
	case h.has(flagACK) && s.pinging && h.length == s.pingID:
		s.pinging = false
		s.measured(time.Since(s.pinged))
	}
}

func (s *Session) measured(rtt time.Duration) {
	if s.rtt != 0 {
		rtt = (s.rtt + rtt) / 2
	}
	s.rtt = rtt
}

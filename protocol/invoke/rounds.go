package invoke

import (
	"sync"
	"time"
)

// roundEvery is how far apart rounds are at least that are not for a deadline.
const roundEvery = 5 * time.Millisecond

// rounds look after the streams of a server on which something is due. They share
// one timer: one of each stream's own fires, with a goroutine for it, every few
// milliseconds that the stream is busy, and mostly finds nothing to do.
type rounds struct {
	begun time.Time

	mu      sync.Mutex // guards what follows; taken with a stream's mu held
	timer   *time.Timer
	next    time.Time   // when the timer fires, zero for never
	streams []*inStream // to look after, each once; those whose due is not zero
	spare   []*inStream // memory of streams
}

func (r *rounds) init() {
	r.begun = time.Now()
	r.timer = time.AfterFunc(time.Hour, r.round)
	r.timer.Stop()
}

// following is the first time from t on that is one of rounds.
func (r *rounds) following(t time.Time) time.Time {
	return r.begun.Add((t.Sub(r.begun) + roundEvery - 1).Truncate(roundEvery))
}

// add has st looked after at a time, or before. known: it is among streams already.
func (r *rounds) add(st *inStream, at time.Time, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !known {
		r.streams = append(r.streams, st)
	}
	if r.next.IsZero() || at.Before(r.next) {
		r.next = at
		r.timer.Reset(time.Until(at))
	}
}

func (r *rounds) round() {
	r.mu.Lock()
	streams := r.streams
	r.streams, r.spare, r.next = r.spare, nil, time.Time{}
	r.mu.Unlock()
	now := time.Now()
	for _, st := range streams {
		st.look(now)
	}
	clear(streams)
	r.mu.Lock()
	r.spare = streams[:0]
	r.mu.Unlock()
}

func (r *rounds) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer.Stop()
}

// look is a round's call on the stream: it has tick do what is due.
func (st *inStream) look(now time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.due = time.Time{}
	in := st.cur
	if in == nil {
		return
	}
	if due := in.due(); !due.IsZero() && !due.After(now) {
		go st.tick() // ends once it has written, which a caller that does not read may hold up
		return
	}
	st.arm(in)
}

package mux

import "time"

// deadline is one of a stream, guarded by its session's mu. Its timer runs only
// while somebody waits.
type deadline struct {
	at    time.Time // zero: none
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// arm has f called with st at d.at, by another goroutine.
func (d *deadline) arm(st *Stream, f func(*Stream)) {
	switch {
	case d.at.IsZero():
		d.disarm()
	case d.timer == nil:
		d.timer = time.AfterFunc(time.Until(d.at), func() { f(st) })
	default:
		d.timer.Reset(time.Until(d.at))
	}
}

func (d *deadline) disarm() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

package fork

import (
	"io"
	"time"
)

// timed calls late when the Reads of a body have taken longer than timeout
// together. What its reader does meanwhile does not count.
type timed struct {
	body    io.Reader
	timeout time.Duration // what is left of it; 0: none was set
	late    func()
}

func (t *timed) Read(p []byte) (int, error) {
	if t.timeout <= 0 {
		return t.body.Read(p)
	}
	began := time.Now()
	timer := time.AfterFunc(t.timeout, t.late)
	n, err := t.body.Read(p)
	timer.Stop()
	t.timeout = max(t.timeout-time.Since(began), time.Nanosecond)
	return n, err
}

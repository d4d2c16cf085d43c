package openfaas

import (
	"fmt"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// turns is how many looks in a row must say so before the gateway counts as
// down, or as up again. The very first look decides alone.
const turns = 2

// health is whether the gateway is up, with hysteresis: one slow answer is no
// outage, and one good answer amid an outage is not its end.
type health struct {
	mu     sync.Mutex
	known  bool // looked at once
	up     bool
	streak int       // looks in a row that contradict up
	reason error     // of the last failed look
	since  time.Time // of the last change
}

// note takes a look's result. changed says that up has changed by it.
func (h *health) note(err error, now time.Time) (up, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.reason = err
	}
	ok := err == nil
	if h.known && ok == h.up {
		h.streak = 0
		return h.up, false
	}
	if h.streak++; h.known && h.streak < turns {
		return h.up, false
	}
	h.known, h.up, h.streak, h.since = true, ok, 0, now
	return h.up, true
}

// doubtful tells whether the last look contradicted the ones before.
func (h *health) doubtful() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streak > 0
}

// check is nil unless the gateway counts as down.
func (h *health) check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.up:
		return nil
	case !h.known:
		return fmt.Errorf("OpenFaaS gateway: %w: not started", faas.ErrUnavailable)
	}
	return fmt.Errorf("OpenFaaS gateway is down since %s: %w", h.since.UTC().Format(time.TimeOnly), &downError{h.reason})
}

// downError wraps the reason of an outage, which may not be a sentinel's.
type downError struct{ reason error }

func (e *downError) Error() string   { return e.reason.Error() }
func (e *downError) Unwrap() []error { return []error{faas.ErrUnavailable, e.reason} }

// lasted is how long the gateway has been up or down, 0 before the first look.
func (h *health) lasted(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known {
		return 0
	}
	return now.Sub(h.since)
}

package live

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// demandHeader tells the function for how long it would run at speed 1.
const demandHeader = "X-Demand"

// luckHeader decides whether it stalls where a share of the calls does.
const luckHeader = "X-Luck"

// sleeper is the function on one node: a machine that takes as long as it is
// asked to, divided by its speed, and no processor. It is here rather than in the
// node so that its speed can be changed, and what it did is known.
type sleeper struct {
	server *http.Server
	addr   string
	ended  chan struct{}

	mu      sync.Mutex
	speed   float64
	changed chan struct{} // closed with the next change of speed
	stall   time.Duration
	stalls  float64   // share of the calls that stall
	from    time.Time // what ran from then
	to      time.Time // until then counts
	busy    time.Duration
}

func newSleeper(l net.Listener, speed float64) *sleeper {
	s := &sleeper{addr: l.Addr().String(), ended: make(chan struct{}), speed: speed, changed: make(chan struct{})}
	s.server = &http.Server{Handler: s}
	go func() { // ends with Close
		defer close(s.ended)
		_ = s.server.Serve(l)
	}()
	return s
}

// Close ends what runs, and waits for the server, not for its handlers.
func (s *sleeper) Close() error {
	err := s.server.Close()
	<-s.ended
	return err
}

// setSpeed also holds for the rest of what runs.
func (s *sleeper) setSpeed(speed float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.speed = speed
	close(s.changed)
	s.changed = make(chan struct{})
}

// setStalls has a share of the calls that come from now on take so much longer.
func (s *sleeper) setStalls(share float64, stall time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalls, s.stall = share, stall
}

// stalled is for how long a call of that luck stalls.
func (s *sleeper) stalled(luck float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if luck < s.stalls {
		return s.stall
	}
	return 0
}

// count has the time between the two moments counted.
func (s *sleeper) count(from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from, s.to = from, to
}

func (s *sleeper) counted() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}

// ServeHTTP implements http.Handler.
func (s *sleeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := r.Header.Get(demandHeader)
	if text == "" {
		return // somebody asks whether it is there
	}
	demand, err := time.ParseDuration(text)
	luck, unlucky := strconv.ParseFloat(r.Header.Get(luckHeader), 64)
	if err = errors.Join(err, unlucky); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	began := time.Now()
	_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that the caller has gone
	s.sleep(r.Context(), float64(demand), s.stalled(luck))
	s.ran(began, time.Now())
}

// sleep lasts for the stall and until the demand is worked off, or the caller gives up.
func (s *sleeper) sleep(ctx context.Context, demand float64, stall time.Duration) {
	stalled := time.NewTimer(stall)
	defer stalled.Stop()
	select {
	case <-stalled.C:
	case <-ctx.Done():
		return
	}
	for demand > 0 {
		s.mu.Lock()
		speed, changed := s.speed, s.changed
		s.mu.Unlock()
		began := time.Now()
		timer := time.NewTimer(time.Duration(demand / speed))
		select {
		case <-timer.C:
			return
		case <-changed:
			demand -= float64(time.Since(began)) * speed
		case <-ctx.Done():
			demand = 0
		}
		timer.Stop()
	}
}

func (s *sleeper) ran(from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.Before(s.from) {
		from = s.from
	}
	if to.After(s.to) {
		to = s.to
	}
	s.busy += max(0, to.Sub(from))
}

package live

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// load sends what arrives, each at its time.
type load struct {
	mesh  *mesh
	tally *tally
	began time.Time
	room  chan struct{} // a place for each that may be under way
	body  []byte        // the longest of all classes
	all   sync.WaitGroup
}

func newLoad(m *mesh, t *tally, began time.Time) *load {
	longest := int64(0)
	for _, c := range m.cfg.Scenario.Classes {
		longest = max(longest, c.Body)
	}
	return &load{mesh: m, tally: t, began: began, room: make(chan struct{}, m.cfg.MaxUnderWay), body: make([]byte, longest)}
}

// drive sends all and waits for their answers. It does not wait for one before it
// sends the next.
func (l *load) drive(ctx context.Context, arrivals func(func(sim.Arrival) bool)) error {
	defer l.all.Wait()
	for a := range arrivals {
		if err := sleepUntil(ctx, l.began.Add(a.At)); err != nil {
			return err
		}
		select {
		case l.room <- struct{}{}:
		default:
			l.tally.unsent(&a)
			continue
		}
		l.all.Go(func() {
			l.send(ctx, &a)
			<-l.room
		})
	}
	return nil
}

// sleepUntil returns early, with the cause, if ctx ends.
func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// After a deadline a node answers at once; without one it lets a call wait for
// a minute.
const (
	answerPatience = 10 * time.Second
	noDeadline     = 2 * time.Minute
)

// send sends one, and notes what became of it.
func (l *load) send(ctx context.Context, a *sim.Arrival) {
	due := l.began.Add(a.At)
	class := &l.mesh.cfg.Scenario.Classes[a.Class]
	limit := noDeadline
	if class.Deadline > 0 {
		limit = class.Deadline + answerPatience
	}
	ctx, cancel := context.WithDeadline(ctx, due.Add(limit))
	defer cancel()
	e := ending{late: time.Since(due)}
	res, err := l.request(ctx, a, class)
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	e.response = time.Since(due)
	if err == nil {
		e.status, e.peer = res.StatusCode, res.Header.Get("X-P2pfaas-Peer")
		e.hops, _ = strconv.Atoi(res.Header.Get("X-P2pfaas-Hops")) // absent for refusals
	}
	l.tally.ended(a, &e)
}

func (l *load) request(ctx context.Context, a *sim.Arrival, class *sim.Class) (*http.Response, error) {
	n := l.mesh.members[a.Node]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url("/function/"+class.Function), bytes.NewReader(l.body[:class.Body]))
	if err != nil {
		return nil, err
	}
	req.Header.Set(demandHeader, a.Demand.String())
	req.Header.Set(luckHeader, strconv.FormatFloat(a.Luck, 'g', -1, 64))
	req.Header.Set("X-P2pfaas-Task-Type", strconv.Itoa(a.Class))
	if class.Deadline > 0 {
		req.Header.Set("X-P2pfaas-Deadline", class.Deadline.String())
	}
	return n.client.Do(req)
}

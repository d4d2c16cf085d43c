package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Probe says how a process is asked by HTTP how it is. An answer of 2xx or 3xx
// is yes; another, or none in time, is no.
type Probe struct {
	Path string // asked by GET; "": nothing is asked
	// Delay is the time from the start of the process to the first question.
	Delay time.Duration
	// Period is the pause between two questions; until a process is first ready,
	// they follow each other faster.
	Period time.Duration
	// Timeout bounds one question.
	Timeout time.Duration
	// Failures in a row make a no of a yes, Successes a yes of a no.
	Failures, Successes int
}

// DefaultProbe is what OpenFaaS asks with, without a path.
func DefaultProbe() Probe {
	return Probe{Period: 2 * time.Second, Timeout: time.Second, Failures: 3, Successes: 1}
}

// ask returns nil for a yes, else why not.
func (p *Probe) ask(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if p.Path == "" {
		return nil
	}
	return p.get(ctx, conn, addr)
}

func (p *Probe) get(ctx context.Context, conn net.Conn, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+p.Path, nil)
	if err != nil {
		return err
	}
	req.Close = true
	once := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
	defer once.CloseIdleConnections()
	resp, err := once.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("GET %s: no answer within %v", p.Path, p.Timeout)
		}
		return fmt.Errorf("GET %s: %w", p.Path, err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Errorf("GET %s: status %d", p.Path, resp.StatusCode)
	}
	return nil
}

// tally turns answers into a state: so many others in a row change it.
type tally struct {
	yes bool
	row int // answers in a row that disagree with yes
}

// add counts an answer and tells whether it changed the state.
func (t *tally) add(p *Probe, yes bool) bool {
	if yes == t.yes {
		t.row = 0
		return false
	}
	t.row++
	needed := p.Failures
	if yes {
		needed = p.Successes
	}
	if t.row < needed {
		return false
	}
	t.yes, t.row = yes, 0
	return true
}

// watch asks a process that said yes again and again until ctx ends. It calls
// changed with why it says no now, or nil for yes.
func (p *Probe) watch(ctx context.Context, addr string, changed func(error)) {
	if p.Path == "" {
		return
	}
	t := tally{yes: true}
	for sleep(ctx, p.Period) {
		err := p.ask(ctx, addr)
		if ctx.Err() == nil && t.add(p, err == nil) {
			changed(err)
		}
	}
}

// sleep returns false if ctx ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

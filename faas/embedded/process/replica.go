package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

type phase uint8

const (
	starting phase = iota
	ready
	paused // until the next start
)

// replica is one process and its successors.
type replica struct {
	group  *Group
	ctx    context.Context // ends when the replica is not wanted any more
	cancel context.CancelFunc
	// Guarded by group.mu.
	phase   phase
	current *instance // while ready
	resume  time.Time // while paused
	failure string    // how the last process ended
}

func newReplica(g *Group) *replica {
	r := &replica{group: g}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// run keeps a process until the replica is cancelled.
func (r *replica) run() {
	cfg := &r.group.cfg
	backoff := cfg.MinBackoff
	for r.ctx.Err() == nil {
		begun := time.Now()
		err := r.once()
		if r.ctx.Err() != nil {
			return
		}
		if time.Since(begun) >= cfg.MaxBackoff {
			backoff = cfg.MinBackoff
		}
		r.pause(err, backoff)
		backoff = min(2*backoff, cfg.MaxBackoff)
	}
}

// once runs a process from start to end.
func (r *replica) once() error {
	r.set(func() { r.phase = starting })
	port, err := r.group.cfg.Ports.take()
	if err != nil {
		return fmt.Errorf("got no port: %w", err)
	}
	defer r.group.cfg.Ports.give(port)
	begun := time.Now()
	i, err := r.start(port)
	if err != nil {
		return fmt.Errorf("did not start: %w", err)
	}
	defer i.output()
	defer i.Stop(r.group.cfg.Grace)
	if err := r.awaitReady(i); err != nil {
		return err
	}
	return r.serve(i, time.Since(begun))
}

func (r *replica) start(port int) (*instance, error) {
	cfg := &r.group.cfg
	out, ended, err := cfg.Log.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := cfg.Command
	cmd.Env = append(slices.Clip(cmd.Env), "PORT="+strconv.Itoa(port), "http_port="+strconv.Itoa(port))
	cmd.Files = [3]*os.File{nil, out, out}
	p, err := cfg.Spawner.Start(cmd)
	_ = out.Close()
	if err != nil {
		ended()
		return nil, err
	}
	i := &instance{Process: p, replica: r, output: ended, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	i.release = i.done
	return i, nil
}

// serve offers the process to calls until it ends or is not wanted.
func (r *replica) serve(i *instance, coldStart time.Duration) error {
	i.client = httpcall.New(i.addr, httpcall.Default())
	defer func() { _ = i.client.Close() }()
	r.set(func() {
		r.phase, r.current, r.failure = ready, i, ""
		r.group.coldStart = coldStart
	})
	log.Infow("function ready", "function", r.group.name, "pid", i.PID(), "address", i.addr, "cold_start", coldStart)
	select {
	case <-i.Done():
		return i.died()
	case <-r.ctx.Done():
		i.drain(r.group.cfg.Grace)
		return nil
	}
}

func (r *replica) pause(err error, d time.Duration) {
	log.Warnw("function's process is not running", "function", r.group.name, "reason", err, "restart_in", d)
	r.set(func() {
		r.phase, r.current, r.failure, r.resume = paused, nil, err.Error(), time.Now().Add(d)
	})
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.ctx.Done():
	}
}

func (r *replica) set(change func()) {
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	change()
	r.group.wake()
}

// instance is a replica's process, from its start to its end.
type instance struct {
	*child.Process
	replica *replica
	addr    string
	output  func() // waits until all that it wrote is in the log
	client  *httpcall.Client
	calls   int    // guarded by group.mu
	release func() // bound once; see Endpoint
}

// died describes the end of a process that was to stay.
func (i *instance) died() error {
	i.output()
	how := "ended"
	if s := i.State(); s != nil {
		how = "ended with " + s.String()
	}
	if last := i.replica.group.cfg.Log.LastLine(); last != "" {
		how += fmt.Sprintf(", last saying %q", last)
	}
	return errors.New(how)
}

// drain waits for the calls under way, up to the grace period.
func (i *instance) drain(grace time.Duration) {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	for {
		busy, changed := i.busy()
		if !busy {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			return
		}
	}
}

func (i *instance) busy() (bool, <-chan struct{}) {
	g := i.replica.group
	g.mu.Lock()
	defer g.mu.Unlock()
	return i.calls > 0 && !g.closed, g.changed
}

func (i *instance) done() {
	g := i.replica.group
	g.mu.Lock()
	i.calls--
	if i.calls == 0 && i.replica.ctx.Err() != nil {
		g.wake()
	}
	g.mu.Unlock()
	if g.cfg.Released != nil {
		g.cfg.Released()
	}
}

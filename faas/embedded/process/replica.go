package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

type phase uint8

const (
	starting phase = iota
	ready
	unready // it runs, and says that it is not ready
	ending  // the process is being stopped
	paused  // until the next start
)

// replica is one process and its successors.
type replica struct {
	group  *Group
	ctx    context.Context // ends when the replica is not wanted any more
	cancel context.CancelFunc
	limits *cgroup.Group // nil: none
	// Guarded by group.mu.
	phase   phase
	current *instance // while ready or unready
	resume  time.Time // while paused
	failure string    // why it is not ready, or how the last process ended
}

func newReplica(g *Group) *replica {
	r := &replica{group: g}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// run keeps a process until the replica is cancelled.
func (r *replica) run() {
	defer r.unlimit()
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

// limit makes the replica's control group, once.
func (r *replica) limit() (err error) {
	if r.limits == nil && r.group.cfg.Limit != nil {
		r.limits, err = r.group.cfg.Limit()
	}
	return err
}

func (r *replica) unlimit() {
	if r.limits == nil {
		return
	}
	if err := r.limits.Remove(); err != nil {
		log.Warnw("remove a function's control group", "function", r.group.name, "error", err)
	}
}

// once runs a process from start to end.
func (r *replica) once() error {
	r.set(func() { r.phase = starting })
	if err := r.limit(); err != nil {
		return fmt.Errorf("did not start: %w", err)
	}
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
	out, err := cfg.Log.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := cfg.Command
	cmd.Group = r.limits
	cmd.Env = append(slices.Clip(cmd.Env), "PORT="+strconv.Itoa(port), "http_port="+strconv.Itoa(port))
	cmd.Files = [3]*os.File{nil, out.File, out.File}
	p, err := cfg.Spawner.Start(cmd)
	if err != nil {
		out.End()
		return nil, err
	}
	out.Begin(strconv.Itoa(p.PID()))
	i := &instance{Process: p, replica: r, begun: time.Now(), output: out.End, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	i.release = i.done
	return i, nil
}

// serve offers the process to calls until it ends, fails or is not wanted.
func (r *replica) serve(i *instance, coldStart time.Duration) error {
	i.client = httpcall.New(i.addr, httpcall.Default())
	defer func() { _ = i.client.Close() }()
	r.set(func() {
		r.phase, r.current, r.failure = ready, i, ""
		r.group.coldStart = coldStart
	})
	log.Infow("function ready", "function", r.group.name, "pid", i.PID(), "address", i.addr, "cold_start", coldStart)
	ill, stop := r.watch(i)
	defer stop()
	select {
	case <-i.Done():
		r.set(func() { r.phase = ending })
		return i.died()
	case err := <-ill:
		r.set(func() { r.phase = ending })
		return fmt.Errorf("was ended as it failed its health check (%w)", err)
	case <-r.ctx.Done():
		i.drain(r.group.cfg.Drain)
		return nil
	}
}

// watch asks the process how it is until stop is called. What its health says
// against it comes from ill; of its readiness its phase tells.
func (r *replica) watch(i *instance) (ill <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(r.ctx)
	failed := make(chan error, 1)
	var asking sync.WaitGroup
	cfg := &r.group.cfg
	asking.Go(func() { cfg.Ready.watch(ctx, i.addr, r.turn) })
	asking.Go(func() {
		if sleep(ctx, time.Until(i.begun.Add(cfg.Health.Delay))) {
			cfg.Health.watch(ctx, i.addr, func(err error) {
				if err != nil {
					failed <- err
					cancel()
				}
			})
		}
	})
	return failed, func() { cancel(); asking.Wait() }
}

// turn takes the replica out of the rotation, or back into it.
func (r *replica) turn(why error) {
	log.Infow("function's readiness changed", "function", r.group.name, "ready", why == nil, "reason", why)
	r.set(func() {
		switch {
		case r.phase == ending:
		case why == nil:
			r.phase, r.failure = ready, ""
		default:
			r.phase, r.failure = unready, fmt.Sprintf("says that it is not ready (%v)", why)
		}
	})
}

func (r *replica) pause(err error, d time.Duration) {
	log.Warnw("function's process is not running", "function", r.group.name, "reason", err, "restart_in", d)
	r.set(func() {
		r.phase, r.current, r.failure, r.resume = paused, nil, err.Error(), time.Now().Add(d)
		r.group.restarts++
		r.group.restarted = r.failure
	})
	sleep(r.ctx, d)
}

func (r *replica) set(change func()) {
	g := r.group
	g.mu.Lock()
	before := r.phase
	change()
	g.wake()
	turned := (before == ready) != (r.phase == ready)
	g.mu.Unlock()
	if turned && g.cfg.Changed != nil {
		g.cfg.Changed()
	}
}

// instance is a replica's process, from its start to its end.
type instance struct {
	*child.Process
	replica *replica
	begun   time.Time
	addr    string
	output  func() // waits until all that it wrote is in the log
	client  *httpcall.Client
	calls   int    // guarded by group.mu
	release func() // bound once; see Endpoint
}

// died describes the end of a process that was to stay.
func (i *instance) died() error {
	i.output()
	how := "ended with " + i.Exit()
	if last := i.replica.group.cfg.Log.LastLine(); last != "" {
		how += fmt.Sprintf(", last saying %q", last)
	}
	return errors.New(how)
}

// drain waits for the calls under way, up to a limit and as long as the group
// is open.
func (i *instance) drain(limit time.Duration) {
	deadline := time.NewTimer(limit)
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

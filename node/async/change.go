package async

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

var (
	// ErrBusy: the call is under way.
	ErrBusy = errors.New("the call is under way")
	// ErrNotDead: only dead letters can be queued again.
	ErrNotDead = errors.New("the call is no dead letter")
	// errCancelled is the cause of a cancelled attempt's end.
	errCancelled = &invoke.Error{Code: invoke.CodeCancelled, Text: "cancelled by DELETE"}
)

// own returns a call that this node holds itself, once it is stored.
func (e *Engine) own(ctx context.Context, id string) (*entry, error) {
	e.mu.Lock()
	n := e.calls[id]
	e.mu.Unlock()
	if n == nil || n.copied {
		return nil, async.ErrNotFound
	}
	stored, err := n.stored(ctx)
	if err == nil && !stored {
		err = async.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// cancelOwn ends a call of this node's: at once if it waits, as soon as the
// function lets go if it runs. An outcome that is there already stays.
func (e *Engine) cancelOwn(n *entry) (s async.Status, err error) {
	e.mu.Lock()
	switch {
	case n.state.Ended():
		e.mu.Unlock()
		if s, err = e.status(n); err != nil {
			return s, err
		}
		return s, async.ErrFinished
	case n.settling:
		n.unwanted = true
		e.mu.Unlock()
		return e.status(n)
	}
	e.become(n, async.Cancelled)
	now := time.Now()
	e.retire(n, now)
	if n.cancel != nil {
		n.cancel(errCancelled)
	}
	e.mu.Unlock()
	r, err := e.store.load(n.seq)
	if err != nil {
		return s, err
	}
	r.end(async.Cancelled, now)
	if err := e.put(n.seq, r, request, spooled{}); err != nil {
		return s, fmt.Errorf("the call is cancelled, but would run again after a restart: %w", err)
	}
	e.forget(n.keeper, n.id)
	return r.status(now), nil
}

// Requeue has a dead letter tried again, with all its attempts; one whose answer
// is there, only its callback.
func (e *Engine) Requeue(ctx context.Context, id string) (s async.Status, err error) {
	n, err := e.own(ctx, id)
	if err != nil {
		return s, err
	}
	if err := e.hold(n, func() error {
		if n.state != async.Dead || n.callback != "" {
			return fmt.Errorf("%w: it is %s", ErrNotDead, n.state)
		}
		return nil
	}); err != nil {
		return s, err
	}
	r, err := e.store.load(n.seq)
	if err != nil {
		e.done(n)
		return s, err
	}
	now := time.Now()
	before := r.Result
	again := r.revive(now)
	if err := e.put(n.seq, r, request, spooled{}); err != nil {
		e.done(n)
		return s, err
	}
	e.mu.Lock()
	delete(e.missing, n.function)
	e.mu.Unlock()
	if again && before != (part{}) {
		e.discard(n.seq, answer, before)
	}
	e.settled(n, r, now)
	return r.status(now), nil
}

// revive makes a dead letter a call that waits, or one whose callback does.
func (r *record) revive(now time.Time) (again bool) {
	r.Next, r.Ended = now, time.Time{}
	if r.Answered && r.Callback.Attempts > 0 && !r.Callback.Delivered {
		r.State, r.Callback = async.Done, callbackState{Due: true}
		return false
	}
	r.State, r.Attempts, r.Callback = async.Queued, 0, callbackState{}
	r.Answered, r.Header, r.Result = false, nil, part{}
	return true
}

// hold keeps everybody else from an entry if check allows it; settled or done
// ends that.
func (e *Engine) hold(n *entry, check func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls[n.id] != n {
		return async.ErrNotFound
	}
	if n.under {
		return ErrBusy
	}
	if err := check(); err != nil {
		return err
	}
	n.gen++
	n.under, n.settling = true, true
	return nil
}

// Drop forgets a call of this node's that has ended, a callback that waits
// included.
func (e *Engine) Drop(ctx context.Context, id string) error {
	n, err := e.own(ctx, id)
	if err != nil {
		return err
	}
	if err := e.hold(n, func() error {
		if !n.state.Ended() {
			return ErrBusy
		}
		return nil
	}); err != nil {
		return err
	}
	e.forget(n.keeper, n.id)
	return e.drop([]*entry{n})
}

// drop removes calls, with one sync for all. They leave memory even if the disk
// does not let go of them: the next start finds them again. One that has left
// already is left alone.
func (e *Engine) drop(all []*entry) (err error) {
	e.mu.Lock()
	all = slices.DeleteFunc(slices.Clone(all), func(n *entry) bool { return !e.leave(n) })
	e.mu.Unlock()
	changes := make([]*change, len(all))
	for i, n := range all {
		changes[i] = &change{seq: n.seq}
		e.store.enqueue(changes[i])
	}
	for i, n := range all {
		err = errors.Join(err, noRoom(<-changes[i].done))
		e.space.give(n.size())
		for k, has := range n.hasFiles {
			if has {
				e.store.unlink(n.seq, kinds[k])
			}
		}
	}
	return err
}

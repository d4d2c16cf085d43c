package async

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

var (
	// ErrTooMany: as many calls wait as may.
	ErrTooMany = errors.New("too many asynchronous calls")
	// ErrOther: another call has that ID.
	ErrOther = errors.New("the call ID is taken")
	// ErrNoCopy: no second node could store the call.
	ErrNoCopy = errors.New("no second node stored the call")
	// ErrBroken: the request's body did not come whole.
	ErrBroken = errors.New("the request's body broke off")
)

// Accept stores a call, durably, before it returns; c.ID is "" for an ID of this
// node's. A call whose ID is known already is that call: nothing is stored, and
// known is true.
func (e *Engine) Accept(ctx context.Context, c async.Call, body io.Reader) (s async.Status, known bool, err error) {
	chosen := c.ID != ""
	if !chosen {
		c.ID = NewID(e.cfg.Self)
	}
	n, before, err := e.claim(ctx, &c, chosen)
	if err != nil {
		return s, false, err
	}
	if before {
		if s, err = e.status(n); err == nil {
			err = same(&s.Call, &c, body)
		}
		return s, true, err
	}
	if chosen {
		if s, err := e.elsewhere(ctx, n); err == nil {
			e.arrived(n, nil, fmt.Errorf("%w: %s holds it", errElsewhere, s.Holder))
			return s, true, same(&s.Call, &c, body)
		}
	}
	r, err := e.keepCall(ctx, n, c, body)
	e.arrived(n, r, err)
	if err != nil {
		return s, false, err
	}
	return r.status(time.Now()), false, nil
}

// errElsewhere: another node holds the call.
var errElsewhere = errors.New("another node holds the call")

// claim announces a call that is about to be stored, or returns the one that has
// its ID once that is stored. If that came to nothing, this one takes its place:
// it may be the same client's second try.
func (e *Engine) claim(ctx context.Context, c *async.Call, chosen bool) (n *entry, before bool, err error) {
	for {
		n, before, err = e.arrive(c, chosen)
		if err != nil || !before {
			return n, false, err
		}
		if stored, err := n.stored(ctx); err != nil || stored {
			return n, true, err
		}
	}
}

// stored waits until a call that arrives is stored, or is known not to be.
func (n *entry) stored(ctx context.Context) (bool, error) {
	if n.arriving == nil {
		return true, nil
	}
	select {
	case <-n.arriving:
		return n.failed == nil, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (e *Engine) arrive(c *async.Call, chosen bool) (n *entry, before bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := e.calls[c.ID]; n != nil {
		return n, true, nil
	}
	if e.load() >= e.cfg.Calls {
		return nil, false, fmt.Errorf("%w: %d wait or run, %d are dead letters, %d are copies; %d are the most (async-calls)",
			ErrTooMany, e.byState[async.Queued]+e.byState[async.Running], e.byState[async.Dead], e.copies, e.cfg.Calls)
	}
	e.seq++
	n = &entry{
		seq: e.seq, id: c.ID, function: c.Function, holder: e.cfg.Self, state: async.Queued,
		arriving: make(chan struct{}), asking: chosen,
	}
	e.enter(n)
	return n, false, nil
}

// arrived says how the storing of a call went, and has it run.
func (e *Engine) arrived(n *entry, r *record, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		n.failed = err
		e.leave(n)
	} else {
		n.take(r)
		n.keeper = r.Keeper
		if !n.copied {
			e.schedule(n, time.Now())
		}
	}
	close(n.arriving)
}

// keepCall stores the call's body, has a second node store it if that is asked
// for, and commits it.
func (e *Engine) keepCall(ctx context.Context, n *entry, c async.Call, body io.Reader) (*record, error) {
	b, err := e.keepBody(n.seq, &c, body)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	r := &record{Call: c, At: now, Holder: n.holder, Body: b.part, State: async.Queued, Next: now}
	if e.cfg.Copies > 1 {
		if r.Keeper, err = e.copyOut(ctx, n.seq, r, b); err != nil {
			e.discard(n.seq, request, sized(&c, b.part))
			return nil, err
		}
	}
	if err := e.put(n.seq, r, request, b); err != nil {
		e.discard(n.seq, request, sized(&c, b.part))
		e.forget(r.Keeper, c.ID)
		return nil, err
	}
	return r, nil
}

// sized is a request's body with the room for its record.
func sized(c *async.Call, p part) part {
	p.Size += recordOf(c, nil)
	return p
}

func (e *Engine) keepBody(seq uint64, c *async.Call, body io.Reader) (spooled, error) {
	record := recordOf(c, nil)
	if err := e.room(record); err != nil {
		return spooled{}, err
	}
	if c.Size > 0 { // so that what cannot fit is refused before it is sent
		if err := e.room(c.Size); err != nil {
			e.space.give(record)
			return spooled{}, err
		}
		e.space.give(c.Size)
	}
	if body == nil {
		body = bytes.NewReader(nil)
	}
	b, err := e.spool(seq, request, body, e.cfg.Disk/2, e.room)
	if err == nil && c.Size >= 0 && c.Size != b.Size {
		e.discard(seq, request, b.part)
		err = fmt.Errorf("%w: %d of %d bytes came", errSource, b.Size, c.Size)
	}
	if err != nil {
		e.space.give(record)
		return b, told(err)
	}
	c.Size = b.Size
	return b, nil
}

// told turns what may be wrong with a body into what the caller is told.
func told(err error) error {
	switch {
	case errors.Is(err, errSource):
		return fmt.Errorf("%w: %w", ErrBroken, err)
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("%w: %w (half of async-disk)", ErrNoRoom, err)
	}
	return err
}

// put commits a record with a body that was spooled.
func (e *Engine) put(seq uint64, r *record, k kind, b spooled) error {
	encoded, err := r.encode()
	if err != nil {
		return err
	}
	ch := &change{seq: seq, record: encoded, files: b.File}
	if !b.File && b.Size > 0 {
		ch.bodies = map[kind][]byte{k: b.small}
	}
	return noRoom(e.store.commit(ch))
}

// same tells whether c, with that body, can be the call that is known.
func same(known, c *async.Call, body io.Reader) error {
	size := c.Size
	if size < 0 && body != nil && known.Function == c.Function {
		n, err := io.Copy(io.Discard, io.LimitReader(body, known.Size+1))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
		size = n
	}
	if known.Function == c.Function && known.Size == max(size, 0) {
		return nil
	}
	return fmt.Errorf("%w: %q is a call of %s with a body of %d bytes", ErrOther, known.ID, known.Function, known.Size)
}

// copyOut has a second node store the call, and tells which.
func (e *Engine) copyOut(ctx context.Context, seq uint64, r *record, b spooled) (peer.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, copyLimit)
	defer cancel()
	problem := errors.New("no other node is connected")
	for _, p := range e.keepers() {
		var body io.ReadCloser = io.NopCloser(bytes.NewReader(b.small))
		if b.File {
			var err error
			if body, err = e.store.open(seq, request, b.part); err != nil {
				return "", err
			}
		}
		err := e.cfg.Mesh.Keep(ctx, p, r.Call, body)
		_ = body.Close() // only read
		if err == nil {
			return p, nil
		}
		problem = fmt.Errorf("%s: %w", p, err)
		if !errors.Is(err, async.ErrFull) && !errors.Is(err, async.ErrNotReached) {
			e.forget(p, r.Call.ID) // it may have it, and would run it one day
		}
	}
	return "", fmt.Errorf("%w (async-copies is 2): %w", ErrNoCopy, problem)
}

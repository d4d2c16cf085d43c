package async

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// askLimit bounds the questions to other nodes about one call.
const askLimit = 2 * time.Second

// HolderError: the node that holds a call cannot be asked.
type HolderError struct {
	Holder peer.ID
	Err    error
}

func (h *HolderError) Error() string {
	return fmt.Sprintf("node %s holds the call and cannot be reached now", h.Holder)
}

func (h *HolderError) Unwrap() error { return h.Err }

// NewID makes the ID of a call that self holds: self's key, and 64 random bits,
// both as 16 hexadecimal digits.
func NewID(self peer.ID) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return fmt.Sprintf("%016x", uint64(load.KeyOf(self))) + hex.EncodeToString(b[:])
}

// keyOf is the key of the holder that an ID may name: one that a caller chose
// may look the same.
func keyOf(id string) (load.Key, bool) {
	if len(id) != 32 {
		return 0, false
	}
	if _, err := hex.DecodeString(id); err != nil {
		return 0, false
	}
	k, err := strconv.ParseUint(id[:16], 16, 64)
	return load.Key(k), err == nil
}

// status reads how a call stands.
func (e *Engine) status(n *entry) (async.Status, error) {
	r, err := e.store.load(n.seq)
	if err != nil {
		return async.Status{}, err
	}
	s := r.status(time.Now())
	e.mu.Lock()
	s.State = n.state // the disk does not know of what runs, and what is refused
	if n.problem != "" && !n.state.Ended() {
		s.Problem = n.problem
	}
	if n.state == async.Cancelled {
		s.Next = 0
	}
	e.mu.Unlock()
	return s, nil
}

// local tells of a call that this node holds itself.
func (e *Engine) local(ctx context.Context, id string, wantResult bool) (s async.Status, body io.ReadCloser, err error) {
	n, err := e.own(ctx, id)
	if err != nil {
		return s, nil, err
	}
	if s, err = e.status(n); err != nil || !wantResult || !s.Result {
		return s, nil, err
	}
	e.mu.Lock()
	p := part{Size: n.result, File: n.hasFiles[1]}
	e.mu.Unlock()
	body, err = e.store.open(n.seq, answer, p)
	return s, body, err
}

// Lookup tells of a call that any node of the mesh holds, and with wantResult
// gives the kept answer's body (nil if there is none), which the caller closes.
// Its error wraps async.ErrNotFound or is a *HolderError.
func (e *Engine) Lookup(ctx context.Context, id string, wantResult bool) (async.Status, io.ReadCloser, error) {
	s, body, err := e.local(ctx, id, wantResult)
	if !errors.Is(err, async.ErrNotFound) {
		return s, body, err
	}
	holder, err := e.holder(ctx, id)
	if err != nil {
		return s, nil, err
	}
	s, body, err = e.cfg.Mesh.Find(ctx, holder, id, wantResult)
	if err != nil && !errors.Is(err, async.ErrNotFound) {
		err = &HolderError{holder, err}
	}
	return s, body, err
}

// Cancel ends a call that any node of the mesh holds. Besides Lookup's errors it
// may be async.ErrFinished.
func (e *Engine) Cancel(ctx context.Context, id string) (async.Status, error) {
	n, err := e.own(ctx, id)
	if err == nil {
		return e.cancelOwn(n)
	}
	if !errors.Is(err, async.ErrNotFound) {
		return async.Status{}, err
	}
	holder, err := e.holder(ctx, id)
	if err != nil {
		return async.Status{}, err
	}
	s, err := e.cfg.Mesh.Cancel(ctx, holder, id)
	if err != nil && !errors.Is(err, async.ErrNotFound) && !errors.Is(err, async.ErrFinished) {
		err = &HolderError{holder, err}
	}
	return s, err
}

// holder finds the node that holds a call: the one that its ID names, else
// whoever says so. A named one that cannot be asked is a *HolderError.
func (e *Engine) holder(ctx context.Context, id string) (peer.ID, error) {
	named, known := peer.ID(""), false
	var silent error
	if k, ok := keyOf(id); ok {
		named, known = e.cfg.Mesh.Named(k)
	}
	if known && named != e.cfg.Self {
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		_, _, err := e.cfg.Mesh.Find(ctx, named, id, false)
		cancel()
		if err == nil {
			return named, nil
		}
		if !errors.Is(err, async.ErrNotFound) {
			silent = err
		}
	}
	s, err := e.ask(ctx, id) // its copy may have been taken over
	switch {
	case err == nil:
		return s.Holder, nil
	case silent != nil:
		return "", &HolderError{named, silent}
	}
	return "", async.ErrNotFound
}

// ask asks all connected nodes at once whether they hold a call.
func (e *Engine) ask(ctx context.Context, id string) (async.Status, error) {
	members := e.cfg.Mesh.Members()
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	type reply struct {
		s   async.Status
		err error
	}
	replies := make(chan reply, len(members))
	for _, p := range members {
		go func() { // ends with ctx
			s, _, err := e.cfg.Mesh.Find(ctx, p, id, false)
			s.Holder = p
			replies <- reply{s, err}
		}()
	}
	for range members {
		select {
		case r := <-replies:
			if r.err == nil {
				return r.s, nil
			}
		case <-ctx.Done():
			return async.Status{}, async.ErrNotFound
		}
	}
	return async.Status{}, async.ErrNotFound
}

// elsewhere finds the node that holds the call under whose ID n arrives. Two
// nodes at which it arrives at once ask each other: the one with the lower peer
// ID goes on, and the other waits for what comes of that.
func (e *Engine) elsewhere(ctx context.Context, n *entry) (s async.Status, err error) {
	for s, err = e.ask(ctx, n.id); err != nil; {
		p := e.decided(n)
		if p == "" {
			return s, err
		}
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		s, _, err = e.cfg.Mesh.Find(ctx, p, n.id, false)
		cancel()
		s.Holder = p
	}
	return s, nil
}

// decided returns a node that n has given way to, and that has not been asked
// since; once there is none, whoever asks for n waits until it is stored.
func (e *Engine) decided(n *entry) (p peer.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(n.gaveWay) == 0 {
		n.asking = false
		return ""
	}
	p, n.gaveWay = n.gaveWay[0], n.gaveWay[1:]
	return p
}

// givesWay tells whether a call arrives here that from, where it arrives too or
// is asked for, need not wait for.
func (e *Engine) givesWay(id string, from peer.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.calls[id]
	if n == nil || !n.asking || from > e.cfg.Self {
		return false
	}
	if !slices.Contains(n.gaveWay, from) {
		n.gaveWay = append(n.gaveWay, from)
	}
	return true
}

// alone is the mesh of a node that knows nobody.
type alone struct{}

func (alone) Members() []peer.ID             { return nil }
func (alone) Named(load.Key) (peer.ID, bool) { return "", false }
func (alone) Keep(context.Context, peer.ID, async.Call, io.Reader) error {
	return async.ErrNotFound
}
func (alone) Forget(context.Context, peer.ID, string) error { return async.ErrNotFound }
func (alone) Find(context.Context, peer.ID, string, bool) (async.Status, io.ReadCloser, error) {
	return async.Status{}, nil, async.ErrNotFound
}
func (alone) Cancel(context.Context, peer.ID, string) (async.Status, error) {
	return async.Status{}, async.ErrNotFound
}
func (alone) Alive(context.Context, peer.ID, []string) ([]string, error) {
	return nil, async.ErrNotFound
}

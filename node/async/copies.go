package async

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

const (
	// copyLimit bounds the storing of a copy, all nodes that are tried together.
	copyLimit = 30 * time.Second
	// mostKeepers is how many nodes are asked to store one.
	mostKeepers = 3
	// talkLimit bounds what else is said about copies.
	talkLimit = 5 * time.Second
	// checkEvery is how often a connected holder is asked what of its copies is
	// still needed.
	checkEvery = time.Minute
	// mostAsked bounds the IDs of one question.
	mostAsked = 1000
)

// keepers are the nodes to try for a copy, any that are connected.
func (e *Engine) keepers() []peer.ID {
	members := slices.Clone(e.cfg.Mesh.Members())
	rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members[:min(len(members), mostKeepers)]
}

// forget tells the keeper of a copy that it is not needed any more. If it cannot
// be told, it asks by itself later.
func (e *Engine) forget(keeper peer.ID, id string) {
	if keeper == "" {
		return
	}
	e.workers.Go(func() { // ends after talkLimit
		ctx, cancel := context.WithTimeout(e.run, talkLimit)
		defer cancel()
		if err := e.cfg.Mesh.Forget(ctx, keeper, id); err != nil {
			log.Debugw("keeper of a copy not told", "peer", keeper, "call", id, "error", err)
		}
	})
}

// takenOver asks, after a restart, whether the keeper runs the call by now.
func (e *Engine) takenOver(ctx context.Context, n *entry) bool {
	ctx, cancel := context.WithTimeout(ctx, talkLimit)
	defer cancel()
	_, _, err := e.cfg.Mesh.Find(ctx, n.keeper, n.id, false)
	return err == nil
}

// hopOff leaves a call to the node that has taken it over.
func (e *Engine) hopOff(n *entry, l *line) {
	e.passed(l, notTried, 0, time.Now())
	if err := e.drop([]*entry{n}); err != nil {
		log.Warnw("a call that another node has taken over cannot be dropped from disk", "call", n.id, "error", err)
	}
}

// Keep implements async.Handlers.
func (e *Engine) Keep(ctx context.Context, from peer.ID, c async.Call, body io.Reader) error {
	n, before, err := e.arriveCopy(&c, from)
	if err != nil {
		return err
	}
	if before {
		return e.keptAlready(ctx, n, &c, body)
	}
	age := max(0, c.Accepted)
	c.Accepted = 0
	r, err := e.keepCopy(n, c, body, time.Now().Add(-age))
	e.arrived(n, r, err)
	if errors.Is(err, ErrNoRoom) {
		return fmt.Errorf("%w: %w", async.ErrFull, err)
	}
	return err
}

// arriveCopy is arrive for another node's call.
func (e *Engine) arriveCopy(c *async.Call, from peer.ID) (n *entry, before bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := e.calls[c.ID]; n != nil {
		return n, true, nil
	}
	if e.quiet { // the copy would go with it
		return nil, false, fmt.Errorf("%w: %w", async.ErrFull, errDraining)
	}
	if e.load() >= e.cfg.Calls {
		return nil, false, fmt.Errorf("%w: %d calls are the most", async.ErrFull, e.cfg.Calls)
	}
	e.seq++
	n = &entry{
		seq: e.seq, id: c.ID, function: c.Function, holder: from, copied: true,
		state: async.Queued, arriving: make(chan struct{}),
	}
	e.enter(n)
	return n, false, nil
}

// keptAlready answers for a copy that is here: its sender did not hear of it. The
// body is read all the same, as its sender sees to it that it is.
func (e *Engine) keptAlready(ctx context.Context, n *entry, c *async.Call, body io.Reader) error {
	stored, err := n.stored(ctx)
	if err != nil {
		return err
	}
	if !stored {
		return n.failed
	}
	s, err := e.status(n)
	if err == nil {
		err = same(&s.Call, c, body)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	return err
}

func (e *Engine) keepCopy(n *entry, c async.Call, body io.Reader, at time.Time) (*record, error) {
	b, err := e.keepBody(n.seq, &c, body)
	if err != nil {
		return nil, err
	}
	r := &record{Call: c, At: at, Holder: n.holder, Body: b.part, State: async.Queued, Next: at}
	if err := e.put(n.seq, r, request, b); err != nil {
		e.discard(n.seq, request, sized(&c, b.part))
		return nil, err
	}
	return r, nil
}

// Forget implements async.Handlers.
func (e *Engine) Forget(ctx context.Context, from peer.ID, id string) error {
	e.mu.Lock()
	n := e.calls[id]
	mine := n != nil && n.copied && n.holder == from
	e.mu.Unlock()
	if !mine {
		return async.ErrNotFound
	}
	if _, err := n.stored(ctx); err != nil {
		return err
	}
	return e.drop([]*entry{n})
}

// Find implements async.Handlers.
func (e *Engine) Find(ctx context.Context, from peer.ID, id string, wantResult bool) (async.Status, io.ReadCloser, error) {
	if e.givesWay(id, from) {
		return async.Status{}, nil, async.ErrNotFound
	}
	return e.local(ctx, id, wantResult)
}

// CancelHere ends a call that this node holds itself; it is async.Handlers'
// Cancel.
func (e *Engine) CancelHere(ctx context.Context, _ peer.ID, id string) (async.Status, error) {
	n, err := e.own(ctx, id)
	if err != nil {
		return async.Status{}, err
	}
	return e.cancelOwn(n)
}

// Alive implements async.Handlers.
func (e *Engine) Alive(_ context.Context, _ peer.ID, ids []string) ([]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		n := e.calls[id]
		return n == nil || n.copied || n.over()
	}), nil
}

// Handlers is what other nodes may ask of e, for protocol/async's server.
func (e *Engine) Handlers() async.Handlers { return handlers{e} }

type handlers struct{ *Engine }

func (h handlers) Cancel(ctx context.Context, from peer.ID, id string) (async.Status, error) {
	return h.CancelHere(ctx, from, id)
}

// watch is what the janitor knows of the holders of copies.
type watch struct {
	gone  map[peer.ID]time.Time // since when
	asked map[peer.ID]time.Time // when last
}

// watchHolders takes over the calls of holders that are gone, and asks the others
// what is still needed: those that are back at once.
func (e *Engine) watchHolders(w *watch, now time.Time) {
	copies := e.copiesByHolder()
	members := e.cfg.Mesh.Members()
	before := *w
	*w = watch{gone: map[peer.ID]time.Time{}, asked: map[peer.ID]time.Time{}}
	for holder, all := range copies {
		since, wasGone := before.gone[holder]
		here := slices.Contains(members, holder)
		asked := before.asked[holder]
		switch {
		case here && (wasGone || now.Sub(asked) >= checkEvery):
			if e.check(holder, all) {
				asked = now
				break
			}
			here = false // it does not answer
			fallthrough
		case !here:
			if !wasGone {
				since = now
			}
			w.gone[holder] = since
			if now.Sub(since) >= e.cfg.Takeover {
				e.takeOver(holder, all)
			}
		}
		w.asked[holder] = asked
	}
}

func (e *Engine) copiesByHolder() map[peer.ID][]*entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.copies == 0 {
		return nil
	}
	copies := map[peer.ID][]*entry{}
	for _, n := range e.calls {
		if n.copied && (n.arriving == nil || isClosed(n.arriving)) {
			copies[n.holder] = append(copies[n.holder], n)
		}
	}
	return copies
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// check drops the copies that their holder does not need any more. False: it
// gave no sign of life.
func (e *Engine) check(holder peer.ID, all []*entry) bool {
	for some := range slices.Chunk(all, mostAsked) {
		ids := make([]string, len(some))
		for i, n := range some {
			ids[i] = n.id
		}
		ctx, cancel := context.WithTimeout(e.run, talkLimit)
		alive, err := e.cfg.Mesh.Alive(ctx, holder, ids)
		cancel()
		if err != nil {
			return errors.Is(err, async.ErrDenied) || errors.Is(err, async.ErrUnknownRequest) // a refusal is a sign of life
		}
		needed := make(map[string]bool, len(alive))
		for _, id := range alive {
			needed[id] = true
		}
		unneeded := slices.DeleteFunc(slices.Clone(some), func(n *entry) bool { return needed[n.id] })
		if err := e.drop(unneeded); err != nil {
			log.Warnw("copies that are not needed any more cannot be dropped from disk", "copies", len(unneeded), "error", err)
		}
	}
	return true
}

// takeOver makes this node the holder of another's calls.
func (e *Engine) takeOver(holder peer.ID, all []*entry) {
	var taken int
	for _, n := range all {
		if err := e.takeOne(n); err != nil {
			log.Errorw("a gone node's call cannot be taken over, and is tried again", "holder", holder, "call", n.id, "error", err)
			break
		}
		taken++
	}
	if taken > 0 {
		log.Warnw("took over the asynchronous calls of a node that is gone", "holder", holder, "calls", taken, "gone", e.cfg.Takeover)
	}
}

func (e *Engine) takeOne(n *entry) error {
	r, err := e.store.load(n.seq)
	if err != nil {
		return err
	}
	r.Holder, r.Next = e.cfg.Self, time.Now()
	if err := e.put(n.seq, r, request, spooled{}); err != nil {
		return err
	}
	if !e.swap(n, entryOf(n.seq, r, true)) { // forgotten meanwhile: what was just written must not outlast that
		return e.store.commit(&change{seq: n.seq})
	}
	return nil
}

// swap puts a call of this node's in the place of the copy that it was, unless
// that has left.
func (e *Engine) swap(n, own *entry) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.leave(n) {
		return false
	}
	e.enter(own)
	e.schedule(own, time.Now())
	return true
}

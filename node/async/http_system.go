package async

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// Bounds of a listing.
const (
	listed     = 100
	mostListed = 10_000
)

// removeLimit is how long a function may take to let go of a call that is removed.
const removeLimit = 5 * time.Second

// stateCopy lists the calls that are kept for other nodes.
const stateCopy = "copy"

// listing is what GET /system/async answers.
type listing struct {
	Counts map[string]int `json:"counts"` // of all calls here, by state; copy: kept for others
	Bytes  int64          `json:"bytes"`  // on disk
	Calls  []*shown       `json:"calls"`  // the latest first
}

// List returns at most limit of the calls that this node has, the latest first:
// those in that state, "" for all that it holds, "copy" for other nodes' calls.
func (e *Engine) List(state, function string, limit int) []async.Status {
	e.mu.Lock()
	var all []*entry
	for _, n := range e.calls {
		is := string(n.state)
		if n.copied {
			is = stateCopy
		}
		if (state == is || state == "" && !n.copied) && (function == "" || function == n.function) {
			all = append(all, n)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(b.seq, a.seq) })
	var out []async.Status
	for _, n := range all {
		if len(out) == limit {
			break
		}
		if s, err := e.status(n); err == nil { // else it has just gone, or is not stored yet
			out = append(out, s)
		}
	}
	return out
}

func (a *API) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, state := listed, q.Get("state")
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostListed {
			api.Error(w, r, http.StatusBadRequest, "invalid", fmt.Sprintf("limit %q: want a number from 1 to %d", s, mostListed), "")
			return
		}
		limit = n
	}
	if state != "" && state != stateCopy && !slices.Contains(states, async.State(state)) {
		api.Error(w, r, http.StatusBadRequest, "invalid", fmt.Sprintf("state %q: want one of %v or %s", state, states, stateCopy), "")
		return
	}
	stats := a.engine.Stats()
	answer := listing{Counts: map[string]int{stateCopy: stats.Copies}, Bytes: stats.Bytes, Calls: []*shown{}}
	for s, n := range stats.Calls {
		answer.Counts[string(s)] = n
	}
	now := time.Now()
	for _, s := range a.engine.List(state, q.Get("function"), limit) {
		answer.Calls = append(answer.Calls, show(&s, now))
	}
	write(w, http.StatusOK, answer)
}

// one tells of a call that this node holds itself.
func (a *API) one(w http.ResponseWriter, r *http.Request) {
	s, _, err := a.engine.local(r.Context(), r.PathValue("id"), false)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, show(&s, time.Now()))
}

func (a *API) requeue(w http.ResponseWriter, r *http.Request) {
	s, err := a.engine.Requeue(r.Context(), r.PathValue("id"))
	if err != nil {
		a.refuse(w, r, a.elsewhere(r, err))
		return
	}
	write(w, http.StatusAccepted, show(&s, time.Now()))
}

// elsewhere names the holder of a call that is not this node's: only that one
// changes it in this way.
func (a *API) elsewhere(r *http.Request, err error) error {
	if !errors.Is(err, async.ErrNotFound) {
		return err
	}
	if s, _, found := a.engine.Lookup(r.Context(), r.PathValue("id"), false); found == nil && s.Holder != a.engine.cfg.Self {
		return fmt.Errorf("%w: ask %s", errElsewhere, s.Holder)
	}
	return err
}

// drop forgets a call; one that has not ended is cancelled before.
func (a *API) drop(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), removeLimit)
	defer cancel()
	if err := a.engine.Remove(ctx, r.PathValue("id")); err != nil {
		a.refuse(w, r, a.elsewhere(r, err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Remove forgets a call of this node's, and cancels it before if it has not ended.
func (e *Engine) Remove(ctx context.Context, id string) error {
	n, err := e.own(ctx, id)
	if err != nil {
		return err
	}
	if !e.isEnded(n) {
		if _, err := e.cancelOwn(n); err != nil {
			return err
		}
	}
	for {
		err := e.Drop(ctx, id)
		if !errors.Is(err, ErrBusy) {
			return err
		}
		select { // the function is letting go
		case <-ctx.Done():
			return err
		case <-time.After(lookAgain):
		}
	}
}

func (e *Engine) isEnded(n *entry) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return n.state.Ended()
}

func (e *Engine) isQuiet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.quiet
}

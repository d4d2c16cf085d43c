package async

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// recover reads what the last process left. What was under way then is queued on
// disk, and so runs again.
func (e *Engine) recover(now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	files := map[string]bool{}
	unreadable := map[uint64]bool{}
	err := e.store.each(func(seq uint64, r *record, err error) {
		e.seq = max(e.seq, seq)
		if err != nil {
			log.Errorw("a stored call cannot be read, and is left alone", "number", seq, "error", err)
			unreadable[seq] = true
			return
		}
		n := entryOf(seq, r, e.cfg.Self == r.Holder)
		e.space.used += n.size()
		for k, has := range n.hasFiles {
			if has {
				files[filepath.Base(e.store.path(seq, kinds[k]))] = true
			}
		}
		e.enter(n)
		e.resume(n, r, now)
	})
	if err != nil {
		return fmt.Errorf("read the stored calls: %w", err)
	}
	slices.SortStableFunc(e.ended, func(a, b waiting) int { return a.due.Compare(b.due) })
	return e.store.sweep(func(name string) bool {
		var seq uint64
		_, err := fmt.Sscanf(name, "%16x", &seq)
		return files[name] || err != nil || unreadable[seq]
	})
}

// resume schedules what is to be done about a recovered call. Times of the
// process before are believed as far as they make nobody wait for long.
func (e *Engine) resume(n *entry, r *record, now time.Time) {
	switch {
	case n.copied:
	case n.over():
		ended := r.Ended
		if ended.After(now) {
			ended = now
		}
		e.retire(n, ended)
	default:
		n.unsure = n.keeper != ""
		longest := DefaultRetry().MaxWait
		e.schedule(n, now.Add(min(max(0, r.Next.Sub(now)), longest)))
	}
}

var kinds = [2]kind{request, answer}

// entryOf is what is kept in memory of a record.
func entryOf(seq uint64, r *record, own bool) *entry {
	n := &entry{
		seq: seq, id: r.Call.ID, function: r.Call.Function, holder: r.Holder, keeper: r.Keeper,
		copied: !own, state: r.State,
	}
	n.take(r)
	return n
}

// take notes what a record says that may change.
func (n *entry) take(r *record) {
	n.record = recordOf(&r.Call, r.Header)
	n.body, n.hasFiles[0] = r.Body.Size, r.Body.File
	n.result, n.hasFiles[1] = 0, false
	if r.Answered {
		n.result, n.hasFiles[1] = r.Result.Size, r.Result.File
	}
	n.callback = ""
	if r.Callback.Due {
		n.callback = hostOf(r.Call.Callback)
	}
}

// hostOf names the host of a callback, never "".
func hostOf(callback string) string {
	u, err := url.Parse(callback)
	if err != nil {
		return "?"
	}
	return cmp.Or(u.Host, "?")
}

// end notes that it has ended.
func (r *record) end(s async.State, now time.Time) {
	r.State, r.Ended, r.Next = s, now, time.Time{}
}

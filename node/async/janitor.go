package async

import (
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// janitor drops what has been kept long enough, and looks after the copies.
func (e *Engine) janitor() {
	ticker := time.NewTicker(e.cfg.sweepEvery)
	defer ticker.Stop()
	var w watch
	for {
		select {
		case <-e.run.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		if old := e.outdated(now); len(old) > 0 {
			if err := e.drop(old); err != nil {
				log.Warnw("ended calls cannot be dropped from disk", "calls", len(old), "error", err)
			}
		}
		e.forgetMissing(now)
		e.watchHolders(&w, now)
	}
}

// forgetMissing drops what is known of functions that nobody has called for long.
func (e *Engine) forgetMissing(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for function, since := range e.missing {
		if now.Sub(since) > 30*missingPatience {
			delete(e.missing, function)
		}
	}
}

// outdated takes from the ended calls those that have been kept long enough, or
// are more than are remembered.
func (e *Engine) outdated(now time.Time) (old []*entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var stay []waiting
	most := e.cfg.Calls
	for i := range e.ended {
		w := e.ended[len(e.ended)-1-i] // the last to end first
		switch {
		case w.gen != w.entry.gen || e.calls[w.id] != w.entry:
			continue
		case w.state == async.Dead && now.Sub(w.due) < e.cfg.KeepDead:
		case w.state != async.Dead && now.Sub(w.due) < e.cfg.Keep && most > 0:
			most--
		default:
			if !w.under {
				old = append(old, w.entry)
				continue
			}
		}
		stay = append(stay, w)
	}
	for i, j := 0, len(stay)-1; i < j; i, j = i+1, j-1 {
		stay[i], stay[j] = stay[j], stay[i]
	}
	e.ended = stay
	return old
}

// room takes n bytes of the disk, and has calls that have ended make way, the
// first to end first. Dead letters stay.
func (e *Engine) room(n int64) error {
	err := e.space.take(n)
	for err != nil {
		old := e.makeWay(n)
		if len(old) == 0 {
			return err
		}
		if err := e.drop(old); err != nil {
			return err
		}
		err = e.space.take(n)
	}
	return nil
}

// makeWay picks calls that take at least n bytes together.
func (e *Engine) makeWay(n int64) (old []*entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	stay := e.ended[:0:0]
	for _, w := range e.ended {
		if w.gen != w.entry.gen || e.calls[w.id] != w.entry {
			continue
		}
		if n > 0 && w.state != async.Dead && !w.under {
			n -= w.size()
			old = append(old, w.entry)
			continue
		}
		stay = append(stay, w)
	}
	e.ended = stay
	return old
}

package mesh

import (
	"context"
	"time"
)

const (
	// fetchGap is the least time between two fetches from one neighbour, but for
	// fetchBurst in a row; it doubles while they fail or bring nothing, up to
	// fetchLongest.
	fetchGap     = time.Second
	fetchBurst   = 8
	fetchLongest = time.Minute
	// fetchRefresh is how old a list may become: measurements change without
	// the digest.
	fetchRefresh = time.Minute
	// fetchBeyond is how seldom a member out of view is asked: what it runs tells
	// whether it would be of use there.
	fetchBeyond = 10 * time.Minute
)

// fetch is how asking one neighbour for its functions goes.
type fetch struct {
	running bool
	done    bool          // one succeeded
	at      time.Duration // when the last did
	after   time.Duration // not before that
	spent   time.Duration // when the burst is free again
	fails   int           // in a row
}

// functionsStale tells whether the list is known to be another by now.
func (n *neighbour) functionsStale() bool {
	return !n.fetch.done || (n.told.Functions != 0 && n.told.Functions != n.functions.digest)
}

func (n *neighbour) fetchDue(now time.Duration) bool {
	if n.fetch.running || now < n.fetch.after {
		return false
	}
	if !n.inView {
		return !n.fetch.done || (n.functionsStale() && now-n.fetch.at >= fetchBeyond)
	}
	return n.functionsStale() || now-n.fetch.at >= fetchRefresh
}

// fetched takes the end of a fetch: l, or an error.
func (t *table) fetched(n *neighbour, l list, err error, now time.Duration) {
	f := &n.fetch
	f.running = false
	useless := err != nil || (f.done && l.digest == n.functions.digest && n.functionsStale())
	if useless {
		f.after = now + min(fetchGap<<min(f.fails, 10), fetchLongest)
		f.fails++
	} else {
		f.spent, f.fails = max(f.spent, now)+fetchGap, 0
		f.after = f.spent - (fetchBurst-1)*fetchGap
	}
	if err == nil {
		f.done, f.at = true, now
		t.setFunctions(n, l)
	}
}

func (m *Mesh) fetch(ctx context.Context, n *neighbour) {
	reply, err := m.control.Functions(ctx, n.id)
	l := fromControl(reply)
	m.mu.Lock()
	first := n.fetch.fails == 0
	m.table.fetched(n, l, err, m.now())
	m.mu.Unlock()
	m.finder.learned(l)
	if err != nil && first && ctx.Err() == nil {
		log.Infow("functions of a neighbour are not known yet", "peer", n.id, "err", err)
	}
}

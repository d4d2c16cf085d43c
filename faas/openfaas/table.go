package openfaas

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// table is what is known of the gateway's functions. It outlives outages.
type table struct {
	mu      sync.Mutex
	byName  map[faas.Name]*entry
	read    time.Time // of the last whole reading; zero: to be read anew
	edition int       // counts our own changes, which a reading under way may miss
	untold  bool      // changed since the last call of told
}

// entry is one function.
type entry struct {
	status faas.Status
	read   time.Time
	// calls that went through this node. The gateway counts with Prometheus, late
	// or never; the larger of the two is told.
	calls *atomic.Uint64
}

func newEntry(s faas.Status) *entry { return &entry{status: s, calls: new(atomic.Uint64)} }

func newTable() *table { return &table{byName: make(map[faas.Name]*entry)} }

func (e *entry) current() faas.Status {
	s := e.status
	s.Invocations = max(s.Invocations, e.calls.Load())
	return s
}

// replace puts a whole reading in, unless a change of ours came between: then
// it is false, and the reading must be repeated.
func (t *table) replace(list []faas.Status, edition int, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if edition != t.edition {
		return false
	}
	old := t.byName
	t.byName = make(map[faas.Name]*entry, len(list))
	for i := range list {
		t.set(list[i], old[list[i].Name], now)
	}
	t.untold = t.untold || len(t.byName) != len(old)
	t.read = now
	return true
}

// set puts one status in; was is what was known before, nil if nothing was.
func (t *table) set(s faas.Status, was *entry, now time.Time) {
	e := newEntry(s)
	e.read = now
	if was != nil {
		e.calls = was.calls
	}
	if was == nil || differs(&was.status, &s) {
		t.untold = true
	}
	t.byName[s.Name] = e
}

// differs in what a node makes of a status: what it runs, its annotations, and
// whether it is warm.
func differs(a, b *faas.Status) bool {
	return a.Fingerprint() != b.Fingerprint() || !maps.Equal(a.Annotations, b.Annotations) ||
		(a.AvailableReplicas > 0) != (b.AvailableReplicas > 0)
}

// put notes one status that was asked for.
func (t *table) put(s faas.Status, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(s, t.byName[s.Name], now)
}

// changedByUs makes the next question go to the gateway.
func (t *table) changedByUs(change func(map[faas.Name]*entry)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.edition++
	t.read = time.Time{}
	change(t.byName)
}

// begin returns the edition that a reading starts from, and the names known.
func (t *table) begin() (edition int, names []faas.Name) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.edition, slices.Collect(maps.Keys(t.byName))
}

// get is what is known of one function.
func (t *table) get(n faas.Name) (s faas.Status, read time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byName[n]
	if e == nil {
		return faas.Status{}, time.Time{}, false
	}
	return e.current(), e.read, true
}

// called counts an invocation.
func (t *table) called(n faas.Name) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byName[n]; e != nil {
		e.calls.Add(1)
	}
}

// isFresh tells whether all was read a moment ago.
func (t *table) isFresh(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Sub(t.read) < fresh
}

// list is sorted by name, and never nil.
func (t *table) list(namespace string) []faas.Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]faas.Status, 0, len(t.byName))
	for n, e := range t.byName {
		if namespace == "" || n.Namespace == namespace {
			list = append(list, e.current())
		}
	}
	slices.SortFunc(list, func(a, b faas.Status) int { return strings.Compare(a.Name.String(), b.Name.String()) })
	return list
}

// takeUntold tells whether something has changed since it was last asked.
func (t *table) takeUntold() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	untold := t.untold
	t.untold = false
	return untold
}

func (t *table) tellAgain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.untold = true
}

package child

import (
	"maps"
	"slices"
	"sync"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Account adds up what processes take of the processors. One that is named in a
// [Command] is charged for that process and its descendants, others for what
// is begun and ended; see [faas.CPUTime]. A nil Account takes no notice.
type Account struct {
	mu      sync.Mutex // guards what follows
	ended   faas.CPUTime
	running map[Consumer]struct{}
}

// Consumer tells what it has taken of the processors so far, which never falls.
type Consumer interface{ CPUTime() faas.CPUTime }

// CPUTime is what the process and its descendants have had.
func (p *Process) CPUTime() faas.CPUTime { return p.measure() }

// NewAccount returns an empty Account, or nil where the system does not tell
// what processes take.
func NewAccount() *Account {
	if !measurable() {
		return nil
	}
	return &Account{running: make(map[Consumer]struct{})}
}

// CPUTime is what has been taken so far. It reads a few files for each thread
// that runs.
func (a *Account) CPUTime() faas.CPUTime {
	a.mu.Lock()
	total := a.ended
	running := slices.Collect(maps.Keys(a.running))
	a.mu.Unlock()
	for _, p := range running {
		add(&total, p.CPUTime()) // all of it, if it has ended since
	}
	return total
}

// Begin charges the account for c from now on.
func (a *Account) Begin(c Consumer) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running[c] = struct{}{}
}

// End moves what takes no more to what has ended, in one step: the sum never
// falls.
func (a *Account) End(c Consumer) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, c)
	add(&a.ended, c.CPUTime())
}

func add(to *faas.CPUTime, t faas.CPUTime) {
	to.Used += t.Used
	to.Waited += t.Waited
}

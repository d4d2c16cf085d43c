package child

import (
	"maps"
	"slices"
	"sync"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Account adds up what processes take of the processors. One that is named in a
// [Command] is charged for that process and its descendants; see [faas.CPUTime].
type Account struct {
	mu      sync.Mutex // guards what follows
	ended   faas.CPUTime
	running map[*Process]struct{}
}

// NewAccount returns an empty Account, or nil where the system does not tell
// what processes take.
func NewAccount() *Account {
	if !measurable() {
		return nil
	}
	return &Account{running: make(map[*Process]struct{})}
}

// CPUTime is what has been taken so far. It reads a few files for each thread
// that runs.
func (a *Account) CPUTime() faas.CPUTime {
	a.mu.Lock()
	total := a.ended
	running := slices.Collect(maps.Keys(a.running))
	a.mu.Unlock()
	for _, p := range running {
		add(&total, p.measure()) // all of it, if it has ended since
	}
	return total
}

func (a *Account) open(p *Process) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running[p] = struct{}{}
}

// settle moves a process that has been reaped to those that have ended, in one
// step: the sum never falls.
func (a *Account) settle(p *Process) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, p)
	add(&a.ended, p.measure())
}

func add(to *faas.CPUTime, t faas.CPUTime) {
	to.Used += t.Used
	to.Waited += t.Waited
}

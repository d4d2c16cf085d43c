//go:build linux

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ledger notes on which machines each call has begun to run.
type ledger struct {
	mu   sync.Mutex
	runs map[string][]int
}

func (l *ledger) note(call string, machine int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[call] = append(l.runs[call], machine)
}

// of is the machines where a call has run.
func (l *ledger) of(call string) []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.runs[call])
}

// at counts the runs on a machine.
func (l *ledger) at(machine int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, where := range l.runs {
		for _, m := range where {
			if m == machine {
				n++
			}
		}
	}
	return n
}

// has says, as an error, that fewer than n runs have begun on a machine.
func (l *ledger) has(n, machine int) error {
	if got := l.at(machine); got < n {
		return fmt.Errorf("%d calls ran on machine %d, want %d", got, machine, n)
	}
	return nil
}

// onlyOnce fails the test for each call that must not run twice and did.
func (l *ledger) onlyOnce(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	calls, again := 0, 0
	for _, call := range slices.Sorted(maps.Keys(l.runs)) {
		where := l.runs[call]
		switch {
		case strings.HasPrefix(call, once):
			calls++
			if len(where) > 1 {
				t.Errorf("call %s, which must not run twice, ran on machines %v", call, where)
			}
		case len(where) > 1:
			again++
		}
	}
	t.Logf("%d calls ran that must not run twice; of the others %d ran more than once", calls, again)
}

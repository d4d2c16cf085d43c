package child

import (
	"maps"
	"slices"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

// Memory is what runs now has in memory, in bytes: of processes with a limit
// what counts towards that, of others what is resident, pages that they share
// counted for each.
func (a *Account) Memory() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	running := slices.Collect(maps.Keys(a.running))
	a.mu.Unlock()
	var sum int64
	seen := make(map[*cgroup.Group]bool)
	for _, c := range running {
		m, ok := c.(interface{ memory() (int64, *cgroup.Group) })
		if !ok {
			continue
		}
		n, g := m.memory()
		if g == nil || !seen[g] {
			sum += n
		}
		seen[g] = true
	}
	return sum
}

// memory returns also the group whose memory it is, nil if it is the process's own.
func (p *Process) memory() (int64, *cgroup.Group) {
	if p.group != nil {
		if n, ok := p.group.Memory(); ok {
			return n, p.group
		}
	}
	return p.resident(), nil
}

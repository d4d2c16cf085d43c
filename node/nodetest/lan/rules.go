//go:build linux

package lan

import "time"

// Delay makes each frame between a and b take d, in each direction, on top of
// what this machine takes. The order of frames is kept.
func (n *Network) Delay(a, b *Machine, d time.Duration) {
	n.between(a, b, func(l *link) { l.delay = d })
}

// DelayAll is Delay between all machines that there are.
func (n *Network) DelayAll(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fabric.all(func(l *link) { l.delay = d })
}

// Drop loses each frame between a and b with probability p. The random numbers
// of each direction begin with the same seed in each network.
func (n *Network) Drop(a, b *Machine, p float64) {
	n.between(a, b, func(l *link) { l.loss = p })
}

// Cut drops all frames between a and b, those on their way included. Neither
// notices but by the silence.
func (n *Network) Cut(a, b *Machine) { n.between(a, b, func(l *link) { l.cut = true }) }

// Join undoes Cut.
func (n *Network) Join(a, b *Machine) { n.between(a, b, func(l *link) { l.cut = false }) }

func (n *Network) between(a, b *Machine, change func(*link)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n.fabric.link(a.number, b.number))
	change(n.fabric.link(b.number, a.number))
}

// Unplug cuts m off from all others, as silently as Cut.
func (n *Network) Unplug(m *Machine) { n.plugged(m, false) }

// Plug undoes Unplug.
func (n *Network) Plug(m *Machine) { n.plugged(m, true) }

func (n *Network) plugged(m *Machine, in bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fabric.ports[m.number].unplugged = !in
}

// Partition lets frames pass inside each group only, as silently as Cut.
// Machines that no group names are one more group. It replaces an earlier
// Partition.
func (n *Network) Partition(groups ...[]*Machine) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fabric.unite()
	for i, group := range groups {
		for _, m := range group {
			n.fabric.ports[m.number].group = i + 1
		}
	}
}

// Heal undoes all of Cut, Unplug and Partition. Delay and Drop stay.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fabric.unite()
	for _, p := range n.fabric.ports {
		p.unplugged = false
	}
	n.fabric.all(func(l *link) { l.cut = false })
}

// Counts is what became of frames; one that is flooded counts at each link.
type Counts struct {
	Carried uint64 // handed over
	Lost    uint64 // by Drop
	Blocked uint64 // by Cut, Unplug or Partition
	Full    uint64 // too many were on their way already
}

// Counts is what became of all frames so far.
func (n *Network) Counts() Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fabric.counts
}

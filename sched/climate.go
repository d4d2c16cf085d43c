package sched

// climate is how the mesh is on the whole: what to believe of a node of which
// nothing is known (Wbar and pidle of rule 4). It learns from gossip alone:
// whose report rides on a message sends or seeks work, and is no average node.
type climate struct {
	reports int
	wait    float64 // mean W, seconds
	idle    float64 // share of nodes with a free server
}

// hear takes in a report.
func (m *climate) hear(n News) {
	if n.Via != ViaGossip {
		return
	}
	m.reports++
	gain := gainAt(m.reports)
	var idle float64
	if n.Load.Running < n.Load.Servers {
		idle = 1
	}
	m.wait += gain * (sane(n.Load.Wait.Seconds(), 0) - m.wait)
	m.idle += gain * (idle - m.idle)
}

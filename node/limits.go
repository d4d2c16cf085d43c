package node

// watchLimits shows, for each limit of this node, how much of it is used or
// what it has refused so far.
func (n *Node) watchLimits() {
	m := n.dispatcher.metrics
	m.gauge("p2pfaas_streams", "Streams for invocations that are kept to peers, busy or not.", func() float64 { return float64(n.client.Stats().Streams) })
	m.gauge("p2pfaas_streams_busy", "Of them, those that an invocation has.", func() float64 { return float64(n.client.Stats().Busy) })
	m.gauge("p2pfaas_streams_waiting", "Invocations that wait for a stream to a peer.", func() float64 { return float64(n.client.Stats().Waiting) })
	m.counter("p2pfaas_peers_silent_total", "Peers whose connections were closed since they had gone silent.", func() float64 { return float64(n.client.Stats().Silent) })
	m.counter("p2pfaas_blocked_connections_total", "Connections that a limit refused: of all, or of one address.", func() float64 { return float64(n.host.Blocked().Conns) })
	m.counter("p2pfaas_blocked_streams_total", "Streams that a limit refused: of all, or of one peer.", func() float64 { return float64(n.host.Blocked().Streams) })
	m.counter("p2pfaas_blocked_memory_total", "Memory reservations of connections and streams that a limit refused.", func() float64 { return float64(n.host.Blocked().Memory) })
	m.counter("p2pfaas_replay_refused_total", "Bodies of which more was not kept, since all bodies together keep the most allowed.", func() float64 { return float64(n.dispatcher.budget.refused.Load()) })
	m.gauge("p2pfaas_open", "Invocations that run or stream here; --max-open bounds them.", func() float64 { return float64(n.dispatcher.slots.opened()) })
	m.gauge("p2pfaas_members", "Nodes of the mesh that this one is connected to.", func() float64 { return float64(n.mesh.Counts().Members) })
	m.gauge("p2pfaas_neighbours", "Of them, those that it may send invocations to.", func() float64 { return float64(n.mesh.Counts().Neighbours) })
	m.counter("p2pfaas_reports_heard_total", "Load reports on the topic that were news.", func() float64 { return float64(n.mesh.Counts().Reports.Heard) })
	m.counter("p2pfaas_reports_ignored_total", "Load reports on the topic that were old, or more than a signer may send.", func() float64 { return float64(n.mesh.Counts().Reports.Ignored) })
	m.counter("p2pfaas_reports_rejected_total", "Load reports on the topic that were forged, malformed or too large.", func() float64 { return float64(n.mesh.Counts().Reports.Rejected) })
}

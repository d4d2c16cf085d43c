// Package live runs a scenario on real nodes: it starts a p2pfaas-node process
// for each, gives them a function that sleeps, sends them the very arrivals that
// package sim simulates, and tells what came of them as a [sim.Result].
//
//	report, err := live.Run(ctx, live.Config{Program: "bin/p2pfaas-node", Scenario: sc, Policy: "spread"})
//
// The nodes are on loopback, where messages take no time, or with Config.LAN on
// machines of a network of package lan, each a network namespace, which gives
// delays and zones and takes root. The load is open: an invocation is sent at its
// time, whatever became of those before, and its response time counts from that
// moment. What is seen is what any client sees: status, headers, /metrics.
//
// What differs from the simulator: a node cancels what runs past its deadline,
// which frees its server, and always drops from its queue what cannot be in time;
// so "served" counts less, and "expired" all that was given up for its deadline. A
// scenario with expiry = "on" and cut = true has the simulator do the same. A change
// of speed is never announced, and decision_ns is not measured. Nodes and load share
// this machine: Report.Late tells whether it was too small for them.
package live

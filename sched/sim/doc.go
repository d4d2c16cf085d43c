// Package sim runs policies of package sched on a simulated mesh: discrete
// events in virtual time, no clock, no goroutine, the same result for the same
// scenario and seed, bit for bit.
//
//	result, err := sim.Run(scenario, sim.Options{Policy: "spread", Seed: 1})
//
// A [Scenario] says what nodes there are, what arrives and what goes wrong;
// package scenario reads one from a file. What arrives and how long it runs
// depends on the scenario and the seed alone, so that all policies get the same.
//
// The simulator drives a [sched.Policy] exactly as a node does: it fills the view
// from a [sched.Table] of reports, sends probes, forwards and answers that take
// their time, hands refusals back to the previous hop, keeps what waits in a
// [sched.Queue], and carries asks for work from node to node. Every message
// carries its sender's report and the eight freshest others that it knows, seen
// when the message arrives. An answer goes back the way the invocation came.
//
// Two names are known besides those of the registry, as bounds: "perfect" knows
// all queues and what is under way to them at no cost, and decides once, on
// arrival; "pooled" is one queue for the servers of all nodes, without any
// network.
//
// What is simple here: clocks agree, delays are constant, messages are not lost
// unless a node is dead, bodies take no time on the wire, and there are no cold
// starts. A dead node's messages get no answer; who waits for one notices after
// max(50 ms, 4 round trips), or after a second for what was in its care already.
package sim

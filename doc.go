// Package p2pfaas holds no code: it is the map of the house.
//
// The project is a peer-to-peer mesh for functions at the edge. One program,
// p2pfaas-node, runs on each machine. The nodes find each other, tell each other
// how busy they are, and each invocation runs where it will be answered soonest.
//
//	cmd/       the programs; they put the parts together
//	node/      one member of the mesh: HTTP and streams in, decide, run or forward
//	protocol/  what crosses the wire, the host it crosses from, and the Go SDK
//	sched/     where an invocation should run: policies without I/O or clock
//	rl/        policies that learn
//	faas/      how a function is run on this machine
//	examples/  programs to start from; each one runs and is tested
//
// Arrows point down only: cmd and examples may import everything, node imports
// protocol, sched and faas, rl imports sched. Those three are leaves and know
// nothing of each other. arrows_test.go holds this.
package p2pfaas

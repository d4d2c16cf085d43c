// Package scale measures what it costs a node to know N others while nothing is
// invoked: processor, traffic, memory, and the time until it knows them all.
//
//	report, err := scale.Run(ctx, scale.Config{Program: "p2pfaas-node", Nodes: 200, …})
//
// One node is a process of its own, a p2pfaas-node as anybody runs it; it joins
// last. The others are hosts with everything that has to do with knowing each
// other (discovery, DHT, hello, gossip, the table of neighbours, lists of
// functions), a few dozen in each of a few processes that give way to whatever
// else the machine does: two hundred processes would measure the scheduler.
//
// All are on the loopback of a network namespace of their own ([Isolated]), so
// that its counter holds their traffic and nobody else's, with the headers of IP
// and TCP. CPU is the time that processes were charged, not the time that passed:
// a busy machine makes it some tenths larger, since its caches are cold, but not
// many times.
package scale

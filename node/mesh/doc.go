// Package mesh knows the neighbours: who is near, what they run and how busy
// they are.
//
// A [Mesh] hears of members from the host, of their load from every message
// that carries news (it is a load.Sink), from probes and from the gossip topic,
// and of their functions by asking for the list whenever a report's digest says
// that it changed. Out of that [Mesh.Fill] makes the candidates for one
// invocation. It decides nothing.
//
//	m, err := mesh.New(mesh.Config{Host: h, Mesh: "default", …})
//	err = m.Start(ctx)                         // before the host's Start
//	server := invoke.NewServer(…, m.Source())  // our news, for every message
//	neighbours = m.Fill(neighbours, "resize", fingerprint)
//	m.Sent(p, function, guess)
//	m.Done(p, mesh.Done{Result: mesh.Answered, Took: took})
//
// Not every member is a neighbour: [Config.Max] are, three quarters of them the
// nearest of those that share a function with this node or were of use lately,
// one quarter by chance. [Mesh.Find] makes a neighbour of a node that runs what no
// neighbour does.
//
// What is believed, and how long:
//
//   - The newest report of a node counts, by (incarnation, counter). When it was
//     true is reckoned on our clock: now, less the age it carries, less half the
//     round trip to who told it.
//   - What third parties say of a neighbour counts while it is fresher than what
//     the neighbour said itself, but neither prolongs its life nor mends its
//     health, and is not asked of those who mislead.
//   - A neighbour that was not heard itself for max(10 s, 3 of its periods) is no
//     candidate; neither is one that drains, or failed a moment ago.
//   - What we sent there counts as its load until it reports having it.
//
// Pitfalls: the times in a [sched.Neighbour] are on Config.Now's clock, which
// must be the View's. Names of functions are as faas.Name.String writes them.
package mesh

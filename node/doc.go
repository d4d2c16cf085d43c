// Package node is one member of the mesh: everything is wired and served here.
//
// The path of one invocation:
//
//  1. gateway/ takes it over HTTP, which plainhttp/ and net/http serve, peers.go
//     from a peer or an SDK client.
//  2. dispatch.go tells its story: admit, decide, act, again or answered.
//  3. decide.go makes the policy's View of this moment (slots.go: how busy this
//     node is; mesh/: how busy the neighbours are) and asks the policy; consult.go
//     asks a learner elsewhere (learner/) where the policy wants that.
//  4. run.go waits for a server (slots.go) and calls the function's runtime;
//  5. forward.go has a peer answer it, over protocol/invoke.
//  6. replay.go keeps of the body what another attempt would need; life.go is the
//     context of it all, with its time limit.
//  7. ending.go sees the answer to its end: slot released, outcome told to the
//     policy, metrics counted.
//  8. record.go keeps each decision, its numbers and what came of it, for those
//     who ask later (control/).
//
// Asynchronous calls wait in async/, on disk, and begin at 2 when there is room;
// async.go joins the two.
//
// node.go puts the parts together, end.go takes them apart again; http.go says who
// may ask what over HTTP. A [Node] is made by [New], lives from Start to Close,
// and is drained before it ends:
//
//	n, err := node.New(cfg)
//	err = n.Start(ctx)
//	…
//	err = n.Drain(ctx)
//	err = n.Close()
//
// A program that embeds a node may bring its own runtime and serve the HTTP routes
// itself: [NewWith], [HTTPNone] and [Node.Handler].
package node

// Package async is the node's durable queue: calls to /async-function are on
// disk before they are acknowledged, are run through the node's dispatcher as
// soon as the mesh has room, tried again when they fail, and their answers are
// kept for a while and posted to the callback URL.
//
//	e, err := async.New(async.Config{Self: id, Dir: dir, Invoker: dispatcher, …})
//	err = e.Start(ctx)                  // reads what the last process left
//	status, known, err := e.Accept(ctx, call, body)
//	…
//	e.Quiesce()                         // starts nothing more
//	err = e.Close()                     // what runs is left to the next start
//
// The way of a call: accept.go stores it (spool.go its body, store.go and
// committer.go the rest: one disk sync serves all that arrive meanwhile);
// foreman.go starts it when its line (line.go) allows it; attempt.go runs it and
// verdict.go judges; settle.go stores what came of it; callback.go tells who
// asked. copies.go is the second node's part, lookup.go finds a call anywhere in
// the mesh, janitor.go drops what nobody may ask for any more.
//
// What a caller may rely on: an accepted call runs at least once, under one call
// ID. It runs again when an attempt failed, when the node was killed before the
// outcome was on disk, and when the node that keeps a copy takes over. Functions
// for which that matters look at X-Call-Id.
//
// Pitfalls: the wall clock is only used across restarts, and a wait that it
// yields is bounded by the longest back-off; so a machine without a clock at
// start runs calls early rather than never. A call that is under way does not
// hold a bbolt transaction; nothing but committer.go writes.
package async

// Package learner speaks the learner API of P2PFaaS, both ways, over HTTP and
// its streaming socket (a WebSocket).
//
// A [Client] asks a learner elsewhere where an invocation should go, and tells it
// what came of it:
//
//	c := learner.NewClient(learner.Config{URL: "http://127.0.0.1:19020"})
//	c.Start()
//	advice := c.Ask(ctx, &question)  // within question.Within
//	c.Teach(&lesson)                 // never waits
//	…
//	err := c.Close()
//
// A [Server] puts a learner of this program at others' disposal:
//
//	learner.NewServer(table).Routes(mux, guard)
//
// The requests are those of P2PFaaS's learner: GET /act, /train, /learner/parameters,
// /learner/stats, /learner/weights and /learner/reset, POST /train_batch and
// /learner/parameters. There are two differences: what cannot be served is answered
// with a status of 400 and up and a text that says why, where P2PFaaS answers 500 and
// nothing; and the socket is at /act of the same port, where P2PFaaS has a port for it.
//
// One learner is for one node: steps are counted by each node by itself.
package learner

import logging "github.com/ipfs/go-log/v2"

var log = logging.Logger("p2pfaas/learner")

// Package process keeps the long-lived processes of a function: HTTP servers on
// loopback, a number of replicas that is kept, each restarted when it ends.
//
// A [Group] is a function's replicas. [Group.Acquire] leads to the ready replica
// with the fewest calls, waiting while one starts; with none wanted (scaled to
// zero) it wants one, so that the first call starts the function. A replica that
// is scaled away answers the calls that it has before it ends.
//
// A process learns its port from PORT (and http_port) and is to listen on
// 127.0.0.1. It is ready when the port accepts a connection: asking by HTTP
// would be an invocation to a function that knows nothing of health checks. A
// function that has a readiness path names it (see [Probe]), and is then ready
// while a GET of it is answered with 2xx or 3xx. One that fails its health path
// is restarted.
//
// A process that ends is started again after a pause that doubles up to a
// bound, and begins anew once it ran for a while. Calls do not wait through a
// long pause, nor for replicas that say themselves that they are not ready: they
// fail with [faas.ErrNotStarted] and may go elsewhere.
//
// Pitfalls: a port is chosen free and then given to the process, so another
// program can take it in between; the process then ends and gets another.
package process

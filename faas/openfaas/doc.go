// Package openfaas is a [faas.Runtime] over a real OpenFaaS gateway: the
// gateway runs the functions, this package talks to it.
//
//	where, err := openfaas.Locate("http://127.0.0.1:8080", "")
//	rt, err := openfaas.New(openfaas.Default(where))
//	err = rt.Start(ctx) // succeeds with the gateway down, too
//	defer rt.Close()
//
// Only the wire contract is used. Its traps, and what is done about them:
//
//   - With scale_from_zero an outage of the provider answers an invocation with
//     404 "error finding function …". Such an answer is confirmed with GET
//     /system/function/NAME before a function counts as absent; an outage is
//     [faas.ErrUnavailable].
//   - A gateway without Prometheus drops the connection of GET
//     /system/functions. The functions known by then are kept and asked for one
//     by one; [Runtime.Get] makes more of them known. See list.go.
//   - 502 with an empty body means that the function was not reached, or that it
//     took too long: it may have run. It is an error without
//     [faas.ErrNotStarted].
//   - Gateways answer success with 200, 201, 202 or 204; all are taken on every
//     call.
//   - The gateway echoes no X-Call-Id that it was sent, and answers 202 on
//     /async-function for functions that do not exist: neither is relied upon.
//   - Logs come as plain text, 501 stands for an absent function as well as for a
//     provider without logs, and an answer that is followed ends when the gateway's
//     own time limit is over: the function is asked for first, and what came later
//     afterwards. See logs.go.
//   - Some providers overwrite a secret that is created twice, and older ones know
//     text only. A namespace needs OpenFaaS's mark, which is added.
//   - 404 and 501 of an endpoint that the gateway or its provider lacks are
//     [faas.ErrUnsupported].
//   - The namespace of a function is what follows the last dot of its name; a
//     function without one goes by its plain name, in the gateway's own default
//     namespace.
//
// A watcher asks for the gateway's health and its functions every few seconds
// and calls [Config.Changed] when they have changed. While the gateway is down
// invocations fail at once with [faas.ErrNotStarted], and nothing is forgotten.
//
// Pitfalls: credentials go to /system/ only; the invocation's own Authorization
// field passes through to the function. The community gateway buffers small
// answers that are neither long nor server-sent events, and refuses WebSockets:
// this package streams what the gateway streams. A gateway that answers with the
// first line only keeps the reader of a silent log waiting for the header. Over
// https each invocation takes a connection of its own.
package openfaas

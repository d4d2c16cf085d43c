// Package api is the OpenFaaS system API over a [faas.Runtime]: what faas-cli,
// the OpenFaaS SDKs, connectors and Alertmanager ask of a gateway, all but
// invocations.
//
//	user, password, err := api.LoadCredentials(dataDir)
//	…
//	handler := api.New(runtime, api.Options{
//		Credentials: &api.Credentials{User: user, Password: password},
//		Version:     "1.2.0",
//	})
//	server.RegisterOnShutdown(handler.Close) // ends the logs that are followed
//	server.Handler = handler
//
// Whoever serves /function/ and /async-function/ mounts an [API] for the rest
// beside its own handlers. [Error] and [Auth] are for that one too, so that all
// errors of a node look alike.
//
// # Served
//
//	GET POST PUT DELETE /system/functions
//	GET                 /system/function/NAME         ?usage=1 tells what it takes
//	POST                /system/scale-function/NAME
//	GET POST PUT DELETE /system/secrets
//	GET                 /system/logs                  ?name= namespace= instance= tail= since= follow=
//	GET                 /system/namespaces
//	GET POST PUT DELETE /system/namespace/NAME
//	POST                /system/alert                 what Alertmanager sends
//	GET                 /system/info
//	GET                 /system/telemetry             {}: nothing is collected
//	GET                 /healthz                      (open)
//	GET                 /                             (open) redirects to /ui/
//	GET                 /ui/                          (open) for a program to mount its page
//
// Secrets, logs and namespaces need a Runtime that offers them: see
// [faas.SecretKeeper], [faas.Logger] and [faas.NamespaceKeeper]. It may be wrapped
// in one that tells it by a method Unwrap() faas.Runtime. Without, they answer
// 501; namespaces are then listed by where functions are.
//
// A change that succeeds is 202, the one status that every client takes on all
// calls.
//
// # Deviations from OpenFaaS, all deliberate
//
//   - POST /system/functions creates or replaces; a client that does not know
//     whether a function is there need not ask first.
//   - A deployment may name any image string that the Runtime resolves, and any
//     number of functions, namespaces and replicas, 0 included.
//   - A namespace exists while a function is deployed in it, and the default
//     one always; others are made by POST. None needs a label or annotation.
//   - A namespace may stand in the body, in the query, and for the calls that
//     look a function up also behind the name's last dot, in this order of
//     precedence. The body is first since OpenFaaS's Go SDK keeps the query of
//     one call for the next. What changes a namespace takes its name from the
//     path, the body or both, under /system/namespace/ and /system/namespaces.
//   - POST /system/scale-function without replicas is an error; OpenFaaS takes
//     it as 0 and stops the function.
//   - A secret without a value is an error, one that exists already 409.
//   - Logs are application/x-ndjson, each line sent at once, and followed until
//     the client goes, without a time limit. An absent function is 404 and a bad
//     query 400; OpenFaaS's gateway answers 501 and 500.
//   - An alert scales to any number that the labels com.openfaas.scale.min and
//     max allow, and what sleeps is not woken when an alert is over.
//   - An absent function is 404, an outage of the Runtime 503 with
//     X-OpenFaaS-Internal; OpenFaaS's gateway answers 404 or 502 in an outage.
//   - Errors are one line of text. With application/json in Accept they are
//     {"code", "text", "hint"}.
//   - /system/info has an object more, p2pfaas, and the status of a function a
//     field more, note: what is not enforced, or that an old version still answers.
package api

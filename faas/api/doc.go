// Package api is the OpenFaaS system API over a [faas.Runtime]: what faas-cli
// and the OpenFaaS SDKs need to deploy, list, scale and remove functions.
//
//	user, password, err := api.LoadCredentials(dataDir)
//	…
//	handler := api.New(runtime, api.Options{
//		Credentials: &api.Credentials{User: user, Password: password},
//		Version:     "1.2.0",
//		OnChange:    mesh.FunctionsChanged,
//	})
//	http.ListenAndServe(":18080", handler)
//
// Invocations are not here: whoever serves them mounts an [API] for /system/
// and /healthz beside its own handler of /function/. [Error] and [Auth] are for
// that one too, so that all errors of a node look alike.
//
// # Served
//
//	GET POST PUT DELETE /system/functions
//	GET                 /system/function/NAME
//	POST                /system/scale-function/NAME
//	GET                 /system/info
//	GET                 /system/namespaces
//	GET                 /healthz                 (open)
//
// /async-function/, /system/secrets, /system/logs, /system/namespace/NAME,
// /system/telemetry, /system/alert and /ui/ answer 501 and say what is missing.
//
// # Deviations from OpenFaaS, all deliberate
//
//   - POST /system/functions creates or replaces; a client that does not know
//     whether a function is there need not ask first.
//   - A deployment may name any image string that the Runtime resolves, and any
//     number of functions, namespaces and replicas, 0 included.
//   - A namespace exists while a function is deployed in it, and the default
//     one always. /system/namespaces tells these.
//   - A namespace may stand in the body, in the query, and for the calls that
//     look a function up also behind the name's last dot, in this order of
//     precedence. The body is first since OpenFaaS's Go SDK keeps the query of
//     one call for the next.
//   - POST /system/scale-function without replicas is an error; OpenFaaS takes
//     it as 0 and stops the function.
//   - An absent function is 404, an outage of the Runtime 503 with
//     X-OpenFaaS-Internal; OpenFaaS's gateway answers 404 or 502 in an outage.
//   - Errors are one line of text. With application/json in Accept they are
//     {"code", "text", "hint"}.
//   - /system/info has an object more, p2pfaas.
//   - usage is never reported, whatever the query says.
package api

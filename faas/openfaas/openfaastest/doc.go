// Package openfaastest is a strict stand-in for an OpenFaaS gateway, for tests.
// It is written from the wire contract: status codes, texts, header fields,
// basic authentication and the ways in which a real gateway fails.
//
//	g := openfaastest.New(t, openfaastest.Options{User: "admin", Password: "secret"})
//	g.Deploy("greet", "hello")        // behind the client's back
//	…                                 // g.URL() is where it listens
//	g.SetProvider(false)              // the provider behind it is down
//	g.Stop()                          // so is the gateway itself
//
// Functions are Go handlers, by image: those of package builtin (echo, sleep,
// stream, hello, …), redirect, say (which writes its body to its log), and
// [Options.Images].
//
// It fails the test on a request that a real gateway would not take or that
// gives something away: malformed JSON, unknown fields, a wrong content type,
// a query that nobody reads, bad names, platform fields sent twice, and its
// credentials sent to a function. Wrong or missing credentials are answered
// 401, and fail the test too unless [Options.Strangers].
//
// Pitfalls: functions live behind the gateway, so that Stop and Start keep
// them. It streams and upgrades where the community edition buffers and refuses.
package openfaastest

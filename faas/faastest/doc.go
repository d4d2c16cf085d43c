// Package faastest holds the conformance suite of every [faas.Runtime], and a
// runtime without processes for tests of what lies above one.
//
// [Run] takes a function that makes a fresh Runtime and the images to deploy:
//
//	func TestConformance(t *testing.T) {
//		faastest.Run(t, newRuntime, faastest.Images{Echo: "builtin:echo", Sleep: "builtin:sleep"})
//	}
//
// [Keep] does the same for secrets, namespaces and logs.
//
// [Fake] answers after a set service time. It uses time and channels only, so
// that it lives in a testing/synctest bubble; it passes both suites itself.
//
// Pitfalls: the suite reads a function's counters at /_/counters, a JSON object
// as [Counters]; each image must serve it, unless they are [Images.Standard].
package faastest

// Package watchdog is the contract of OpenFaaS's classic watchdog, as far as it
// is the same for whatever runs the function: a process forked per request, or
// a WebAssembly module instantiated per request.
//
// The request's body is the function's standard input, its standard output the
// answer's body; method, path, query, host and fields are in the environment
// ([Environ]: Http_Method, Http_Path, Http_Query, Http_Host,
// Http_Content_Length, Http_Transfer_Encoding, Http_<Field_With_Underscores>; of
// a field that repeats, the first). [Settings] are the deployment's variables that
// change any of this, [Forking] and what follows it the lines in a function's log.
// [ContentType] says what the answer is and whether it is passed on
// as it is written, [HoldBack] how much of another answer is held back until its
// header is sent.
//
// It differs from OpenFaaS's own in this: bodies are streamed, not read whole
// first, and so an answer may break off; read_timeout has no default and
// write_timeout no effect; all methods are let through; Http_Proxy is never set;
// the lines have no time in them, it stands beside them in the log; a failure is
// always in the log.
package watchdog

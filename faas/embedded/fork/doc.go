// Package fork runs a process per invocation, by the contract of OpenFaaS's
// classic watchdog.
//
// The request's body is the process's standard input, its standard output is
// the answer's body; method, path, query, host and fields are in the
// environment (Http_Method, Http_Path, Http_Query, Http_Host,
// Http_Content_Length, Http_<Field_With_Underscores>; of a field that repeats,
// the first). The answer has the request's Content-Type, unless the function's
// variable content_type says another. Standard error goes to the function's log.
//
// The answer's header is held back until the process ends or has written
// [HoldBack] bytes, so that a failure can still be said: status 500 with
// "exit status N" and the output, or 408 "Killed process." after the function's
// exec_timeout. A stream of events (a content_type, or an Accept field, of
// text/event-stream or application/x-ndjson) is not held back. A process that
// fails later cuts the answer: [io.ErrUnexpectedEOF], and the reason in the
// trailer [ExitTrailer].
//
// Pitfalls: what a process leaves running in its group is killed when it ends;
// a request body that fails kills the process, since the end of its input would
// look like the body's end.
package fork

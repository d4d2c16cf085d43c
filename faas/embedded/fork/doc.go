// Package fork runs a process per invocation, by the contract of OpenFaaS's
// classic watchdog.
//
// The request's body is the process's standard input, its output is the answer's
// body; the request is in the environment, see package watchdog. Standard error is
// part of the answer, in its place, unless the function's variable combine_output
// is "false": then it goes to the function's log, line by line. In the log, under
// the process's id, is also what the watchdog says: that it forks, how many bytes
// came of it and how long it took, how it failed and, if that would be nowhere
// else, the end of the output of a process that did.
//
// The answer's header is held back until the process ends or has written
// [HoldBack] bytes, so that a failure can still be said: status 500 with
// "exit status N" and the output, 408 "Killed process." after the function's
// exec_timeout, or 400 when the request's body took longer than its read_timeout
// to arrive. X-Duration-Seconds is in the header, or in the trailer of an answer
// that began before its end was known. A call beyond max_inflight is answered
// with 429. A stream of events (a content_type, or an Accept field, of
// text/event-stream or application/x-ndjson) is not held back. A process that
// fails later cuts the answer: [io.ErrUnexpectedEOF], and the reason in the
// trailer [ExitTrailer].
//
// Pitfalls: what a process leaves running in its group is killed when it ends;
// a request body that fails kills the process, since the end of its input would
// look like the body's end.
package fork

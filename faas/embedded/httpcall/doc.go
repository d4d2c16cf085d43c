// Package httpcall calls a function that listens for HTTP/1.1 on this machine.
//
// It is a client for one address and for one kind of caller: a node that passes
// an invocation on. Against net/http's Transport it keeps the order and case of
// header fields, starts no goroutine for a request whose body is at hand, and
// costs a handful of allocations. What it promises:
//
//   - Bodies are streams both ways. The answer is read while the body is still
//     being sent, so that an early answer (a 413) is not lost and a function
//     that answers as it reads does not deadlock.
//   - A kept connection is looked at before it is used again. A request is
//     written to a second connection only if not one byte was written to the
//     first; nothing else is ever repeated.
//   - A body that was cut short ends with [io.ErrUnexpectedEOF], in both
//     directions: a request body that fails closes the connection rather than
//     ending it cleanly.
//   - Cancelling the context closes the connection, which is how the function
//     learns of it.
//
// Usage:
//
//	c := httpcall.New("127.0.0.1:8080", httpcall.Default())
//	defer c.Close()
//	resp, err := c.Do(ctx, request, nil)
//
// Pitfalls: the request's Body is read by another goroutine unless it says by a
// method Buffered() int or Len() int that all its bytes are at hand, and with a
// method Bytes() []byte it may not be read at all, but written from there; a Read that
// is under way when the answer's Body is closed is not waited for. Content-Length
// is not among the answer's fields, since Size says it. A request of known size
// is sent with Content-Length and therefore without trailer.
package httpcall

// Package plainhttp serves plain HTTP/1.1 requests at a small part of net/http's
// price, and leaves all others to net/http.
//
// A [Server] stands before an [http.Server]. A connection has one goroutine: it
// reads a request, runs the handler, sends the answer, mostly in one write, and
// reads the next. As long as requests are plain and their paths begin with the
// server's prefix, nothing else takes part: no second goroutine that reads while
// the handler runs, no deadlines set and taken back, no context with channels that
// nobody asks for. Strictly plain is what can be read in one way only: lines
// that end with CRLF, one Host, at most one Content-Length, nothing chunked,
// folded, expected or upgraded. At the first request that is not, the connection
// with all that was read and not served is given to the http.Server for the rest
// of its life. So whatever is odd, encoded, upgraded or malformed is net/http's
// business, its answers included.
//
//	s := plainhttp.New(&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, "/function/", nil)
//	err := s.Serve(listener) // until Shutdown or Close
//
// Handlers see the same as with net/http, but for this:
//
//   - The request, its headers and the answer's headers belong to the server again
//     once ServeHTTP has returned. Strings out of them may be kept, but each keeps
//     the request's whole head in memory: clone those that stay.
//   - A client that goes away is noticed within 150 ms by polling, see [Conn], so
//     not at all in invocations that are shorter.
//   - There is no Hijack: a request that asks for an upgrade is not plain.
//   - [http.MaxBytesReader] does not close the connection: what is left of a body does.
//
// While nothing comes over a connection it holds about one kilobyte and a
// goroutine's stack: buffers are taken when something has come.
package plainhttp

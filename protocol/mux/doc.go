// Package mux carries many streams over one connection: yamux as libp2p speaks it
// (/yamux/1.0.0, with error codes in RST and go-away frames), made for many small
// messages.
//
//	m := mux.New(mux.Config{FirstWindow: 1 << 20, MaxWindow: 16 << 20})
//	…{ID: mux.ID, Muxer: m}…                    // for libp2p's upgrader
//	tls.Server(mux.NewSocket(conn), config)     // below TLS
//
// # Sending
//
// A goroutine that writes sends by itself: no other has to wake up for it. It
// appends its frame to what waits in the session, and if nobody is sending, it is
// the one who does. If many other streams have been writing lately it first yields,
// so that those about to write add theirs: with many streams that is one record
// of TLS and one system call for all of them. (Among few it would have them go in
// step, each process waiting for the next.) What the others add while it writes it
// sends too, twice at most, and then leaves it to a goroutine that lives until
// nothing waits any more.
//
// Nobody is held up by a peer that does not read: the writes of a Socket do not
// wait. What the kernel does not take is kept, and as long as there is something
// kept that goroutine alone sends. Over other connections it always does.
//
// Of large writes frames are made as there is room, taking turns; meanwhile the
// writer waits, up to its deadline. Frames without data never wait: a peer that
// makes us produce them and reads none is cut off.
//
// # Receiving
//
// One goroutine reads the connection. It copies small bodies into the buffer of a
// Read that waits, and wakes it once. Otherwise they are kept in pooled memory, at
// most as much as the stream's window, which the session's scope has paid for.
//
// Where one stream is all that a connection carries, messages of a few KB there and
// back, its Read reads the connection itself, so that nobody has to wake up for
// it. The goroutine takes over again when there is something for another stream,
// or when nobody has read for a millisecond or two; in that time nothing else is
// received.
//
// # Windows
//
// A stream begins with 256 KB, as specified, is granted FirstWindow with its
// first frame, and twice as much whenever half of its window has been read within
// four round trips, up to MaxWindow.
//
// # Pitfalls
//
//   - Yielding takes as long as the Go scheduler likes: where goroutines keep all
//     cores busy set NeverYield.
//   - Write has returned when the bytes wait to be sent. A reset that follows takes
//     with it what the other side has not read.
//   - After CloseRead the other side may go on to write until its window is used
//     up. It is not told, as yamux has no frame for that.
//   - OpenStream does not wait for the other side: a stream that it refuses is
//     reset later.
package mux

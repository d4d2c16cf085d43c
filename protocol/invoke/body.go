package invoke

import (
	"io"
	"sync"

	pool "github.com/libp2p/go-buffer-pool"
)

// body is a request's body on the server: a bounded ring between the stream's
// reader, which fills it, and the handler, which reads it.
type body struct {
	size  int64  // -1 if unknown
	stall func() // called before a Read waits for what the client holds back

	mu       sync.Mutex
	data     sync.Cond // more to read, or the end
	ring     []byte
	from, n  int   // ring[from:from+n], wrapped, is to be read
	got      int64 // received in all
	whole    bool  // all is received
	closed   bool  // nobody reads any more
	released bool  // the reader is done with the ring
	err      error
	space    chan struct{} // wakes the reader; made when it has to wait first
	trailer  Header
}

func (b *body) init(size int64, stall func()) {
	b.size, b.stall = size, stall
	b.data.L = &b.mu
	b.whole = size == 0
	switch {
	case size == 0:
	case size > 0 && size <= largeSize:
		b.ring = pool.Get(int(size))
	default:
		b.ring = pool.Get(ringSize)
	}
}

// Read is the handler's. It fails at once when the caller has gone away.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.n == 0 || b.closed {
		if err := b.end(); err != nil {
			return 0, err
		}
		if len(p) == 0 {
			return 0, nil
		}
		b.wait()
	}
	n := 0
	for n < len(p) && b.n > 0 {
		m := copy(p[n:], b.ring[b.from:min(b.from+b.n, len(b.ring))])
		n, b.n = n+m, b.n-m
		b.from = (b.from + m) % len(b.ring)
	}
	b.wakeReader()
	return n, nil
}

// Interrupt implements [Interrupter].
func (b *body) Interrupt() { b.fail(io.ErrClosedPipe) }

// Buffered is how much can be read without waiting.
func (b *body) Buffered() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

func (b *body) end() error {
	switch {
	case b.closed && b.err == nil:
		return io.ErrClosedPipe
	case b.err != nil:
		return b.err
	case b.whole:
		return io.EOF
	}
	return nil
}

// wait returns with mu locked, as it was called, when something has changed.
func (b *body) wait() {
	if stall := b.stall; stall != nil && b.got >= FirstWindow {
		b.stall = nil
		b.mu.Unlock()
		stall()
		b.mu.Lock()
		return
	}
	b.data.Wait()
}

// slot returns room for at most limit bytes, which the stream's reader fills
// and then tells by commit; none if it has to wait on space.
func (b *body) slot(limit int64) (room []byte, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.err != nil {
		return nil, true
	}
	if b.n == 0 {
		b.from = 0
	}
	at := (b.from + b.n) % len(b.ring)
	room = b.ring[at:min(at+len(b.ring)-b.n, len(b.ring))]
	if len(room) == 0 && b.space == nil {
		b.space = make(chan struct{}, 1)
	}
	return room[:min(int64(len(room)), limit)], false
}

func (b *body) commit(n int) {
	b.mu.Lock()
	b.n += n
	b.got += int64(n)
	b.whole = b.got == b.size
	b.mu.Unlock()
	b.data.Broadcast()
}

// skip counts n bytes that were received and thrown away.
func (b *body) skip(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got += n
	b.whole = b.whole || b.got == b.size
}

// finish ends a body of unknown size; err is nil if it is whole.
func (b *body) finish(trailer Header, err error) {
	b.mu.Lock()
	b.trailer, b.whole = trailer, true
	if b.err == nil {
		b.err = err
	}
	b.mu.Unlock()
	b.data.Broadcast()
}

// fail makes each Read return err from now on.
func (b *body) fail(err error) {
	b.mu.Lock()
	if b.err == nil {
		b.err, b.n = err, 0
	}
	b.wakeReader()
	b.mu.Unlock()
	b.data.Broadcast()
}

// close is called when the invocation is over: nobody reads any more.
func (b *body) close() {
	b.mu.Lock()
	b.closed = true
	b.free()
	b.wakeReader()
	b.mu.Unlock()
	b.data.Broadcast()
}

// release is called when the stream's reader does not fill the ring any more.
func (b *body) release() {
	b.mu.Lock()
	b.released = true
	b.free()
	b.mu.Unlock()
}

// free needs mu. Both sides must be done with the ring.
func (b *body) free() {
	if b.closed && b.released && b.ring != nil {
		pool.Put(b.ring)
		b.ring, b.n = nil, 0
	}
}

// wakeReader needs mu.
func (b *body) wakeReader() {
	if b.space == nil {
		return
	}
	select {
	case b.space <- struct{}{}:
	default:
	}
}

// complete tells whether all has been received, and how much is missing, -1 if
// that is unknown.
func (b *body) complete() (whole bool, missing int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size < 0 {
		return b.whole, -1
	}
	return b.whole, b.size - b.got
}

func (b *body) trailers() Header {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.trailer
}

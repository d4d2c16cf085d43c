package plainhttp

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// body is a request's body: what came with the head, and then what comes.
type body struct {
	of *exchange

	mu     sync.Mutex // guards what follows, and reads
	came   []byte
	coming int64 // bytes
	err    error // what ended it
	over   bool
}

// Read implements io.Reader. With the last byte it returns io.EOF.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.read(p)
}

func (b *body) read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n := copy(p, b.came)
	b.came = b.came[n:]
	if n == 0 && b.coming > 0 && len(p) > 0 {
		n, b.err = b.of.conn.read(p[:min(b.coming, int64(len(p)))])
		b.coming -= int64(n)
	}
	switch {
	case len(b.came) == 0 && b.coming == 0:
		b.err = io.EOF
	case b.err == io.EOF:
		b.err = io.ErrUnexpectedEOF
	}
	return n, b.err
}

// Close implements io.Closer.
func (b *body) Close() error {
	if !b.skip(skipTime) {
		b.end()
	}
	return nil
}

// end has reads fail.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// How long the rest of a body that nobody wants is waited for: while the connection
// may be kept, and else. A connection that is closed with something unread may cost
// the client the answer.
const (
	skipTime   = 5 * time.Second
	lingerTime = 500 * time.Millisecond
)

// mostSkipped is how much of a body is read that nobody wants, to keep the
// connection.
const mostSkipped = 256 << 10

// skip reads the rest, if there is time to wait for it, and tells whether the body
// came whole. Reads fail from then on. If there is too much for the connection to
// be kept, all stays as it is.
func (b *body) skip(wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil && wait == skipTime && b.coming > mostSkipped {
		return false
	}
	b.over = true
	if b.err == nil {
		b.skipRest(wait)
	}
	return b.err == io.EOF
}

func (b *body) skipRest(wait time.Duration) {
	b.came = nil
	if b.coming == 0 {
		b.err = io.EOF
		return
	}
	if wait == 0 {
		b.err = http.ErrBodyReadAfterClose
		return
	}
	_ = b.of.conn.limit(b.of, time.Now().Add(wait))
	waste := make([]byte, min(b.coming, 32<<10))
	for b.err == nil {
		_, _ = b.read(waste)
	}
}

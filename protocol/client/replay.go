package client

import (
	"io"
	"sync"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// keepMax is how much of a body is kept for another attempt: all that is sent
// before a node has said that it started, and one buffer read ahead.
const keepMax = invoke.FirstWindow + 64<<10

// replay is a request's body that can be read again from its beginning, by
// seeking or out of what it kept, as long as no more than keepMax was read.
type replay struct {
	source io.Reader
	seeker io.Seeker // nil: source cannot seek
	origin int64     // where seeker began

	mu   sync.Mutex // guards all below; not held while source is read
	kept []byte     // what was read
	next int        // offset in kept of the next Read
	lost bool       // not all that was read is kept
	err  error      // what source ended with
}

// of makes b the replay of source from where it is.
func (b *replay) of(source io.Reader) *replay {
	b.source = source
	if s, ok := source.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil { // a pipe is a Seeker that cannot
			b.seeker, b.origin = s, at
		}
	}
	return b
}

// Read implements io.Reader, for one reader at a time.
func (b *replay) Read(p []byte) (int, error) {
	if n, err, ok := b.again(p); ok {
		return n, err
	}
	n, err := b.source.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep(p[:n])
	b.err = err
	return n, err
}

// again reads from what was kept.
func (b *replay) again(p []byte) (int, error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next < len(b.kept) {
		n := copy(p, b.kept[b.next:])
		if b.next += n; b.lost && b.next == len(b.kept) {
			b.kept, b.next = nil, 0
		}
		return n, nil, true
	}
	return 0, b.err, b.err != nil
}

func (b *replay) keep(p []byte) {
	switch {
	case b.seeker != nil || b.lost || len(p) == 0:
	case len(b.kept)+len(p) > keepMax:
		b.kept, b.next, b.lost = nil, 0, true
	default:
		b.kept = append(b.kept, p...)
		b.next = len(b.kept)
	}
}

// giveUp keeps nothing any more: the answer has begun, nothing is sent again.
// What is kept may still be on its way for the last time.
func (b *replay) giveUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost = true; b.next == len(b.kept) {
		b.kept, b.next = nil, 0
	}
}

// rewind lets the next Read begin again, or returns false. It must not be
// called while Read runs.
func (b *replay) rewind() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed() != nil || b.lost {
		return false
	}
	b.next = 0
	if b.seeker == nil {
		return true
	}
	b.err = nil
	_, err := b.seeker.Seek(b.origin, io.SeekStart)
	return err == nil
}

// cause is the error, other than EOF, with which the source ended.
func (b *replay) cause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed()
}

func (b *replay) failed() error {
	if b.err == io.EOF {
		return nil
	}
	return b.err
}

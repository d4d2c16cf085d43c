package watchdog

import (
	"io"
	"sync/atomic"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Input reads a request's body up to its size, and keeps why it failed. Stop is
// safe at any time, the rest for one goroutine.
type Input struct {
	r       io.Reader
	left    int64 // -1: until EOF
	stopped atomic.Bool
	err     error
}

// NewInput returns the Input of r, which may have no body.
func NewInput(r *faas.Request) *Input {
	if r.Body == nil {
		return &Input{}
	}
	return &Input{r: r.Body, left: r.Size}
}

// Stop lets no further Read of the body begin.
func (i *Input) Stop() { i.stopped.Store(true) }

// Empty tells whether there is nothing more to read, as far as is known.
func (i *Input) Empty() bool { return i.left == 0 }

// Part is how many bytes it makes sense to read at once: most, or less if there
// is less.
func (i *Input) Part(most int) int {
	if i.left < 0 {
		return most
	}
	return int(min(int64(most), i.left))
}

// Err is why the body failed, or ended before its size; nil if it did not.
func (i *Input) Err() error { return i.err }

// Buffered is how many bytes Read returns without waiting, as far as is known.
func (i *Input) Buffered() int {
	b, ok := i.r.(interface{ Buffered() int })
	if !ok {
		return 0
	}
	n := b.Buffered()
	if i.left >= 0 {
		n = int(min(int64(n), i.left))
	}
	return n
}

// Read returns [io.EOF] at the body's size, whatever follows.
func (i *Input) Read(p []byte) (int, error) {
	if i.left == 0 || i.stopped.Load() {
		return 0, io.EOF
	}
	if i.left > 0 {
		p = p[:min(int64(len(p)), i.left)]
	}
	n, err := i.r.Read(p)
	if i.left > 0 {
		i.left -= int64(n)
	}
	if err == io.EOF && i.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		i.err = err
	}
	return n, err
}

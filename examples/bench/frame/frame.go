// Package frame is the least that a call can be on a kept connection: each way
// eight bytes of length and then the body. It has no name, no deadline, no
// status, and is what the product's wire is compared with.
package frame

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// size is that of the buffers: the header and the first bytes of a body leave in
// one write.
const size = 64 << 10

// prefix is the length's length.
const prefix = 8

// Reader reads bodies, one after the other.
type Reader struct {
	r    *bufio.Reader
	left int64
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, size)} }

// Next begins the next body and returns its length. The one before was read to
// its end.
func (r *Reader) Next() (int64, error) {
	header, err := r.r.Peek(prefix)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint64(header)
	if n > 1<<40 {
		return 0, fmt.Errorf("frame of %d bytes", n)
	}
	r.left = int64(n)
	_, err = r.r.Discard(prefix)
	return r.left, err
}

// Read reads from the body; io.EOF is its end, io.ErrUnexpectedEOF the
// connection's before it.
func (r *Reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Buffered is how many bytes of the body can be read without waiting.
func (r *Reader) Buffered() int { return int(min(int64(r.r.Buffered()), r.left)) }

// Writer writes bodies.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, buf: make([]byte, size)} }

// Send writes n bytes of body.
func (w *Writer) Send(n int64, body io.Reader) error {
	binary.BigEndian.PutUint64(w.buf, uint64(n))
	for filled := int64(prefix); ; filled = 0 {
		more := min(n, int64(len(w.buf))-filled)
		if _, err := io.ReadFull(body, w.buf[filled:filled+more]); err != nil {
			return fmt.Errorf("body of a frame: %w", err)
		}
		if _, err := w.w.Write(w.buf[:filled+more]); err != nil {
			return err
		}
		if n -= more; n == 0 {
			return nil
		}
	}
}

package async

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// errBody is wrapped around what is wrong with a body that is to be sent; other
// errors of sendBody are the stream's.
var errBody = errors.New("body not whole")

// sendBody sends size bytes of body as they are, or all of it in chunks if size
// is -1. It flushes w after each read, so that a slow body is no stalled stream.
func sendBody(w *bufio.Writer, body io.Reader, size int64) error {
	if size < 0 {
		return sendChunks(w, source{body})
	}
	n, err := io.Copy(flushed{w}, io.LimitReader(source{body}, size))
	if err == nil && n < size {
		err = fmt.Errorf("%w: it ends after %d of %d bytes: %w", errBody, n, size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

func sendChunks(w *bufio.Writer, body source) error {
	if _, err := io.Copy(chunked{w}, body); err != nil {
		return err
	}
	return errors.Join(w.WriteByte(0), w.Flush())
}

// source is a body of which only Read is used, so that io.Copy takes it in
// pieces of a bounded length.
type source struct{ r io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // as io.Copy compares it
		err = fmt.Errorf("%w: %w", errBody, err)
	}
	return n, err
}

type flushed struct{ *bufio.Writer }

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	return n, errors.Join(err, f.Flush())
}

type chunked struct{ w *bufio.Writer }

func (c chunked) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if _, err := c.w.Write(binary.AppendUvarint(nil, uint64(len(b)))); err != nil {
		return 0, err
	}
	return flushed{c.w}.Write(b)
}

// bodyReader reads a body that sendBody has sent. Where that breaks off it
// returns io.ErrUnexpectedEOF, however it came about, and never io.EOF.
type bodyReader struct {
	r       *bufio.Reader
	left    int64 // of the body, or of the chunk
	chunked bool
	whole   bool  // all is read
	broken  error // each further Read returns it
}

func newBodyReader(r *bufio.Reader, size int64) *bodyReader {
	return &bodyReader{r: r, left: max(size, 0), chunked: size < 0, whole: size == 0}
}

func (b *bodyReader) Read(p []byte) (int, error) {
	whole := b.atEnd()
	switch {
	case b.broken != nil:
		return 0, b.broken
	case whole:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.whole = !b.chunked && b.left == 0
	if err != nil && !b.whole {
		b.broken = cut(err)
	}
	return n, nil
}

// atEnd tells whether all has been read, of a chunked body but for its end.
func (b *bodyReader) atEnd() bool {
	if b.chunked && b.left == 0 && !b.whole && b.broken == nil {
		b.nextChunk()
	}
	return b.whole
}

func (b *bodyReader) nextChunk() {
	size, err := binary.ReadUvarint(b.r)
	switch {
	case err != nil:
		b.broken = cut(err)
	case size > MaxChunk:
		b.broken = fmt.Errorf("chunk of %d bytes, at most %d are allowed: %w", size, MaxChunk, io.ErrUnexpectedEOF)
	default:
		b.left, b.whole = int64(size), size == 0
	}
}

// cut makes io.ErrUnexpectedEOF of whatever ended a stream too early.
func cut(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) { //nolint:errorlint // io.EOF within err says what broke
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
}

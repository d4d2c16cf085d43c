package invoke

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var (
	// errMalformed means that bytes are not what the protocol has there.
	errMalformed = errors.New("malformed frame")
	// errTooLarge means that a stated length is beyond its limit.
	errTooLarge = errors.New("stated length is too large")
	// errShort means that the stream ended where more had to come.
	errShort = fmt.Errorf("stream ends within a message: %w", io.ErrUnexpectedEOF)
)

// source reads frames, chunks and raw bytes from one stream through a small
// buffer that lives as long as the stream.
type source struct {
	r      io.Reader
	buf    []byte
	lo, hi int // buf[lo:hi] is read but not used
}

func (s *source) buffered() int { return s.hi - s.lo }

// fill waits for more bytes. The buffer must not be full.
func (s *source) fill() error {
	if s.lo == s.hi {
		s.lo, s.hi = 0, 0
	}
	if s.hi == len(s.buf) {
		s.hi = copy(s.buf, s.buf[s.lo:s.hi])
		s.lo = 0
	}
	n, err := s.r.Read(s.buf[s.hi:])
	s.hi += n
	if n > 0 {
		return nil
	}
	return err
}

// Read gives what is buffered first. Large reads then bypass the buffer.
func (s *source) Read(p []byte) (int, error) {
	if s.buffered() == 0 {
		if len(p) >= len(s.buf) {
			return s.r.Read(p)
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.lo:s.hi])
	s.lo += n
	return n, nil
}

// uvarint reads one length of at most limit. An end of the stream before its
// first byte is io.EOF, later errShort.
func (s *source) uvarint(limit uint64) (uint64, error) {
	for {
		v, n := binary.Uvarint(s.buf[s.lo:s.hi])
		if n < 0 || n == 0 && s.buffered() >= binary.MaxVarintLen64 {
			return 0, fmt.Errorf("length: %w", errMalformed)
		}
		if n > 0 && v > limit {
			return 0, fmt.Errorf("%w: %d bytes, at most %d are allowed", errTooLarge, v, limit)
		}
		if n > 0 {
			s.lo += n
			return v, nil
		}
		if err := s.fill(); err != nil {
			if s.buffered() > 0 {
				return 0, short(err)
			}
			return 0, err
		}
	}
}

// frame reads a length of at most limit and so many bytes, valid until the
// next call.
func (s *source) frame(limit int) ([]byte, error) {
	size, err := s.uvarint(uint64(limit))
	if err != nil {
		return nil, err
	}
	n := int(size)
	if n > len(s.buf) {
		return s.long(n)
	}
	for s.buffered() < n {
		if err := s.fill(); err != nil {
			return nil, short(err)
		}
	}
	b := s.buf[s.lo : s.lo+n]
	s.lo += n
	return b, nil
}

// long reads a frame that does not fit the buffer. Its memory grows with what
// has arrived, not with what was promised.
func (s *source) long(n int) ([]byte, error) {
	b := make([]byte, 0, min(n, largeSize))
	for len(b) < n {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		m, err := s.Read(b[len(b):min(n, cap(b))])
		b = b[:len(b)+m]
		if err != nil && len(b) < n {
			return nil, short(err)
		}
	}
	return b, nil
}

// isEnd tells whether the other side ended the stream cleanly. It does not look
// below err: the error of a stream whose connection broke may wrap io.EOF.
func isEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

// short is err, or errShort for an end where more had to come.
func short(err error) error {
	if isEnd(err) {
		return errShort
	}
	return err
}

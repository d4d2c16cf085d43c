package streams

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// ErrTooLarge: the stated length of a frame is beyond what its protocol allows.
var ErrTooLarge = errors.New("message too large")

// ReadFrame reads a uvarint length of at most limit, and so many bytes; buf is
// used if it is large enough. A clean end before the first byte is io.EOF.
func ReadFrame(r *bufio.Reader, buf []byte, limit int) ([]byte, error) {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return buf, err
	}
	if size > uint64(limit) {
		return buf, fmt.Errorf("%w: %d bytes stated, at most %d allowed", ErrTooLarge, size, limit)
	}
	if cap(buf) < int(size) {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	if _, err = io.ReadFull(r, buf); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return buf, err
}

// Answer takes one question after the other from a kept stream, each a frame of
// at most limit bytes, and writes what reply makes of it, a frame too. It goes on
// until the stream ends, or lies unused for longer than an asker's idle, which is
// its error, or reply's. question is valid until reply returns.
func Answer(s network.Stream, idle time.Duration, limit int, reply func(question []byte) ([]byte, error)) error {
	r := bufio.NewReaderSize(s, keptBuffer)
	var in []byte
	for {
		// The asker closes first, so that it does not ask on a stream that is
		// just being closed.
		if err := s.SetReadDeadline(time.Now().Add(idle * 5 / 4)); err != nil {
			return err
		}
		var err error
		if in, err = ReadFrame(r, in, limit); err != nil {
			return err
		}
		out, err := reply(in)
		if err != nil {
			return err
		}
		if err = s.SetWriteDeadline(time.Now().Add(AskTime)); err != nil {
			return err
		}
		if _, err = s.Write(out); err != nil {
			return err
		}
	}
}

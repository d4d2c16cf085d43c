package async

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
)

// bufSize is that of a stream's buffers, and so of most writes.
const bufSize = 32 << 10

// paced is a stream each read and write of which must make progress within
// StallTime, and all of which must end by a time if one is set.
type paced struct {
	network.Stream
	until time.Time
}

func (p *paced) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(p.limit()); err != nil {
		return 0, err
	}
	return p.Stream.Read(b)
}

func (p *paced) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(p.limit()); err != nil {
		return 0, err
	}
	return p.Stream.Write(b)
}

func (p *paced) limit() time.Time {
	stall := time.Now().Add(StallTime)
	if !p.until.IsZero() && p.until.Before(stall) {
		return p.until
	}
	return stall
}

// readMessage reads a length of at most limit and so many bytes of m. Its memory
// grows with what has arrived, not with what was promised.
func readMessage(r *bufio.Reader, limit int, m proto.Message) error {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return fmt.Errorf("read length of message: %w", cut(err))
	}
	if size > uint64(limit) {
		return fmt.Errorf("message of %d bytes, at most %d are allowed", size, limit)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(size)); err != nil {
		return fmt.Errorf("read message of %d bytes: %w", size, cut(err))
	}
	return proto.Unmarshal(b.Bytes(), m)
}

// writeMessage leaves it to the caller to flush w.
func writeMessage(w *bufio.Writer, limit int, m proto.Message) error {
	if size := proto.Size(m); size > limit {
		return fmt.Errorf("%w: the message is of %d bytes, at most %d are allowed", ErrBadRequest, size, limit)
	}
	_, err := protodelim.MarshalTo(w, m)
	return err
}

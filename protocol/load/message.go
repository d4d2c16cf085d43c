package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

// MaxMessage bounds one message of the probe protocol and one report on the
// topic, in bytes.
const MaxMessage = 4 << 10

var (
	// ErrTooLarge means that a message's stated length is beyond MaxMessage.
	ErrTooLarge = streams.ErrTooLarge
	// ErrMalformed means that bytes are no loadpb.Message.
	ErrMalformed = errors.New("malformed load message")
)

// Fields of loadpb.Message.
const (
	fieldSender protowire.Number = 1
	fieldOthers protowire.Number = 2
)

// AppendMessage appends n as a loadpb.Message, without a length before it.
func AppendMessage(b []byte, n *News) []byte { return AppendNews(b, fieldSender, fieldOthers, n) }

// ParseMessage reads a loadpb.Message into n, whose Others it reuses. Unknown
// fields and entries beyond MaxEntries are skipped. Errors wrap ErrMalformed.
func ParseMessage(b []byte, n *News) error {
	*n = News{Others: n.Others[:0]}
	for len(b) > 0 {
		num, typ, used := protowire.ConsumeTag(b)
		if used < 0 {
			return fmt.Errorf("read tag: %w", ErrMalformed)
		}
		b = b[used:]
		if used = parseField(b, num, typ, n); used < 0 {
			return fmt.Errorf("read field %d: %w", num, ErrMalformed)
		}
		b = b[used:]
	}
	return nil
}

// parseField returns how many bytes the field takes, negative if it is malformed.
func parseField(b []byte, num protowire.Number, typ protowire.Type, n *News) int {
	if typ != protowire.BytesType || (num != fieldSender && num != fieldOthers) {
		return protowire.ConsumeFieldValue(num, typ, b)
	}
	v, used := protowire.ConsumeBytes(b)
	if used < 0 {
		return used
	}
	if num == fieldSender {
		n.Has = true
		return orNegative(used, ParseReport(v, &n.Sender))
	}
	if len(n.Others) == MaxEntries {
		return used
	}
	var e Entry
	err := ParseEntry(v, &e)
	n.Others = append(n.Others, e)
	return orNegative(used, err)
}

func orNegative(used int, err error) int {
	if err != nil {
		return -1
	}
	return used
}

// readFrame reads one message of the probe protocol.
func readFrame(r *bufio.Reader, buf []byte) ([]byte, error) {
	return streams.ReadFrame(r, buf, MaxMessage)
}

// framer makes frames in memory that it reuses.
type framer struct{ buf []byte }

// frame returns n's message after its length, valid until the next call.
func (f *framer) frame(n *News) []byte {
	const room = binary.MaxVarintLen16 // MaxMessage fits
	f.buf = append(f.buf[:0], make([]byte, room)...)
	f.buf = AppendMessage(f.buf, n)
	var length [binary.MaxVarintLen64]byte
	used := binary.PutUvarint(length[:], uint64(len(f.buf)-room))
	return f.buf[room-copy(f.buf[room-used:room], length[:used]):]
}

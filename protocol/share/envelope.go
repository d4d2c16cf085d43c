package share

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

var (
	// ErrMalformed: what came is no statement.
	ErrMalformed = errors.New("malformed statement")
	// ErrTooLarge: it is more than MaxStatement bytes.
	ErrTooLarge = errors.New("statement too large")
)

// envelope is what is published: a statement, and which one of its node's it is.
type envelope struct {
	incarnation, counter uint64
	statement            []byte
}

// Fields of an envelope.
const (
	fieldIncarnation protowire.Number = 1
	fieldCounter     protowire.Number = 2
	fieldStatement   protowire.Number = 3
)

// frame is what an envelope takes beyond its statement at most.
const frame = 64

func (e *envelope) append(b []byte) []byte {
	b = protowire.AppendTag(b, fieldIncarnation, protowire.VarintType)
	b = protowire.AppendVarint(b, e.incarnation)
	b = protowire.AppendTag(b, fieldCounter, protowire.VarintType)
	b = protowire.AppendVarint(b, e.counter)
	b = protowire.AppendTag(b, fieldStatement, protowire.BytesType)
	return protowire.AppendBytes(b, e.statement)
}

// parse reads an envelope. One without an incarnation or a counter cannot be
// ordered and is none. Unknown fields are skipped.
func parse(b []byte) (*envelope, error) {
	if len(b) > MaxStatement+frame {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	e := new(envelope)
	for len(b) > 0 {
		used := e.field(b)
		if used < 0 {
			return nil, ErrMalformed
		}
		b = b[used:]
	}
	switch {
	case e.incarnation == 0 || e.counter == 0 || len(e.statement) == 0:
		return nil, ErrMalformed
	case len(e.statement) > MaxStatement:
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(e.statement))
	}
	return e, nil
}

// field reads one field, and returns below 0 if there is none.
func (e *envelope) field(b []byte) int {
	number, kind, tag := protowire.ConsumeTag(b)
	if tag < 0 {
		return tag
	}
	used := 0
	switch {
	case number == fieldIncarnation && kind == protowire.VarintType:
		e.incarnation, used = protowire.ConsumeVarint(b[tag:])
	case number == fieldCounter && kind == protowire.VarintType:
		e.counter, used = protowire.ConsumeVarint(b[tag:])
	case number == fieldStatement && kind == protowire.BytesType:
		e.statement, used = protowire.ConsumeBytes(b[tag:])
	default:
		used = protowire.ConsumeFieldValue(number, kind, b[tag:])
	}
	if used < 0 {
		return used
	}
	return tag + used
}

// newer tells whether e was said after o, by the same node.
func (e *envelope) newer(o *envelope) bool {
	if e.incarnation != o.incarnation {
		return e.incarnation > o.incarnation
	}
	return e.counter > o.counter
}

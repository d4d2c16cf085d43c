package invoke

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// tag is a field's number and wire type as they are on the wire.
type tag uint64

const (
	asVarint  tag = tag(protowire.VarintType)
	asFixed64 tag = tag(protowire.Fixed64Type)
	asBytes   tag = tag(protowire.BytesType)
)

// cursor walks over the fields of one message. text holds the same bytes as b,
// so that strings are cut out of it without a copy of each.
type cursor struct {
	b    []byte
	text string
	at   int
}

// field is one field: v of a number, b of bytes, a string or a message, which
// begins at from.
type field struct {
	tag  tag
	v    uint64
	b    []byte
	from int
}

func (c *cursor) more() bool { return c.at < len(c.b) }

// next reads one field. A field of a wire type that the protocol does not use
// is skipped over: its tag equals none of ours.
func (c *cursor) next(f *field) error {
	num, typ, n := protowire.ConsumeTag(c.b[c.at:])
	if n < 0 || num > protowire.MaxValidNumber {
		return fmt.Errorf("field tag: %w", errMalformed)
	}
	c.at += n
	*f = field{tag: tag(num)<<3 | tag(typ)}
	switch typ {
	case protowire.VarintType:
		f.v, n = protowire.ConsumeVarint(c.b[c.at:])
	case protowire.Fixed64Type:
		f.v, n = protowire.ConsumeFixed64(c.b[c.at:])
	case protowire.BytesType:
		f.b, n = protowire.ConsumeBytes(c.b[c.at:])
		f.from = c.at + n - len(f.b)
	default:
		n = protowire.ConsumeFieldValue(num, typ, c.b[c.at:])
	}
	if n < 0 {
		return fmt.Errorf("field %d: %w", num, errMalformed)
	}
	c.at += n
	return nil
}

// raw is the bytes of f as a part of text.
func (c *cursor) raw(f *field) string { return c.text[f.from : f.from+len(f.b)] }

// str is raw for a field that must be UTF-8.
func (c *cursor) str(f *field, to *string) error {
	*to = c.raw(f)
	if !utf8.ValidString(*to) {
		return fmt.Errorf("field %d is no UTF-8: %w", f.tag>>3, errMalformed)
	}
	return nil
}

// sub is a cursor over the message in f.
func (c *cursor) sub(f *field) cursor { return cursor{b: f.b, text: c.raw(f)} }

func appendUint(b []byte, t tag, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(t)), v)
}

func appendBool(b []byte, t tag, v bool) []byte {
	return appendUint(b, t, protowire.EncodeBool(v))
}

func appendString[S string | []byte](b []byte, t tag, s S) []byte {
	if len(s) == 0 {
		return b
	}
	return appendElement(b, t, s)
}

// appendElement is appendString for a repeated field: it keeps empty ones.
func appendElement[S ~string | ~[]byte](b []byte, t tag, s S) []byte {
	b = binary.AppendUvarint(b, uint64(t))
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendText is appendString for what may not be UTF-8 but must be, cut at max.
func appendText(b []byte, t tag, s string, max int) []byte {
	if len(s) > max {
		s = s[:max]
	}
	return appendString(b, t, strings.ToValidUTF8(s, ""))
}

// open begins an embedded message, up to shut.
func open(b []byte, t tag) ([]byte, int) {
	return openFrame(binary.AppendUvarint(b, uint64(t)))
}

// openFrame begins a frame, up to shut: a length and so many bytes.
func openFrame(b []byte) ([]byte, int) { return append(b, 0), len(b) }

// shut puts the length where one byte was left for it, moving what follows if
// it needs more.
func shut(b []byte, at int) []byte {
	size := len(b) - at - 1
	extra := protowire.SizeVarint(uint64(size)) - 1
	if extra > 0 {
		b = append(b, make([]byte, extra)...)
		copy(b[at+1+extra:], b[at+1:at+1+size])
	}
	binary.PutUvarint(b[at:], uint64(size))
	return b
}

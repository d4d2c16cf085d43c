package mux

import (
	"encoding/binary"
	"fmt"
)

// A frame is a header of 12 bytes and, if its kind is data, length bytes.
//
//	version(8)=0 kind(8) flags(16) stream(32) length(32)
const headerSize = 12

// Kinds of frames. length is the body's, a growth of the window (with flagRST an
// error code), a ping's value or an error code.
const (
	kindData uint8 = iota
	kindWindow
	kindPing
	kindGoAway
)

// Flags. Those of a ping mean question (SYN) and answer (ACK).
const (
	flagSYN uint16 = 1 << iota
	flagACK
	flagFIN
	flagRST
)

// Error codes of a kindGoAway.
const (
	goAwayNormal uint32 = iota
	goAwayProtocol
)

type header struct {
	kind       uint8
	flags      uint16
	id, length uint32
}

func (h header) has(flag uint16) bool { return h.flags&flag != 0 }

func appendHeader(b []byte, h header) []byte {
	b = append(b, 0, h.kind)
	b = binary.BigEndian.AppendUint16(b, h.flags)
	b = binary.BigEndian.AppendUint32(b, h.id)
	return binary.BigEndian.AppendUint32(b, h.length)
}

// parseHeader needs headerSize bytes.
func parseHeader(b []byte) (header, error) {
	if b[0] != 0 {
		return header{}, fmt.Errorf("%w: version %d of a frame", errProtocol, b[0])
	}
	if b[1] > kindGoAway {
		return header{}, fmt.Errorf("%w: frame of kind %d", errProtocol, b[1])
	}
	return header{
		kind: b[1], flags: binary.BigEndian.Uint16(b[2:]),
		id: binary.BigEndian.Uint32(b[4:]), length: binary.BigEndian.Uint32(b[8:]),
	}, nil
}

package wasi

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestMemoryIsNobodysBefore: whatever an instance does with its memory, the next
// finds all of it zero, and growing keeps what was written.
func TestMemoryIsNobodysBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m memories
		for range rapid.IntRange(1, 4).Draw(t, "instances") {
			most := rapid.Uint64Range(1, 64).Draw(t, "most") * 100
			l := m.Allocate(0, most)
			size, written := uint64(0), []byte(nil)
			for range rapid.IntRange(1, 5).Draw(t, "growths") {
				size = rapid.Uint64Range(size, most).Draw(t, "size")
				b := l.Reallocate(size)
				if uint64(len(b)) != size || cap(b) != len(b) || !bytes.HasPrefix(b, written) {
					t.Fatalf("%d bytes of %d with %d written", len(b), size, len(written))
				}
				if i := bytes.IndexFunc(b[len(written):], func(r rune) bool { return r != 0 }); i >= 0 {
					t.Fatalf("byte %d is not zero", len(written)+i)
				}
				written = bytes.Repeat([]byte{0xff}, len(b))
				copy(b, written)
			}
			l.Free()
		}
	})
}

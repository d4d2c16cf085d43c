// Package wiretext writes bytes of the wire for people, each field on a line with
// its name and value, and holds such blocks in a page equal to what the code
// writes. It is for the tests of the protocols, which have their exchanges in
// protocol/README.md.
package wiretext

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Check holds the blocks of a Markdown file, by their names, equal to want; with
// update it writes them instead. A block is what follows
//
//	<!-- bytes: NAME -->
//
// between two fences.
func Check(t *testing.T, file string, update bool, want map[string]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, block := range want {
		text = check(t, text, name, block, update)
	}
	if update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// check returns text with the block of that name replaced by want.
func check(t *testing.T, text, name, want string, update bool) string {
	t.Helper()
	mark := "<!-- bytes: " + name + " -->\n```text\n"
	from := strings.Index(text, mark)
	if from < 0 {
		t.Fatalf("the page has no block %q", mark)
	}
	from += len(mark)
	size := strings.Index(text[from:], "```")
	if got := text[from : from+size]; got != want && !update {
		t.Errorf("bytes of %s (run with -update to rewrite them):\n%s\nwant\n%s", name, got, want)
	}
	return text[:from] + want + text[from+size:]
}

// Dump is such a text in the making.
type Dump struct{ strings.Builder }

// Title says what the lines below are; "" says nothing.
func (d *Dump) Title(s string) {
	if s != "" {
		fmt.Fprintf(d, "# %s\n", s)
	}
}

// Frame writes a length and so many bytes of a message. It names each field
// after the .proto, so that no name can be wrong.
func (d *Dump) Frame(md protoreflect.MessageDescriptor, b []byte) {
	size, n := binary.Uvarint(b)
	d.Line(b[:n], fmt.Sprintf("length of the frame: %d", size))
	d.message(md, b[n:], "")
}

func (d *Dump) message(md protoreflect.MessageDescriptor, b []byte, indent string) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		fd := md.Fields().ByNumber(num)
		all := n + protowire.ConsumeFieldValue(num, typ, b[n:])
		switch {
		case fd.Message() != nil:
			sub, m := protowire.ConsumeBytes(b[n:])
			d.Line(b[:n+m-len(sub)], fmt.Sprintf("%s%s, %d bytes", indent, fd.Name(), len(sub)))
			d.message(fd.Message(), sub, indent+"  ")
		case typ == protowire.BytesType:
			s, _ := protowire.ConsumeBytes(b[n:])
			d.Line(b[:all], fmt.Sprintf("%s%s = %q", indent, fd.Name(), s))
		default:
			v, _ := protowire.ConsumeVarint(b[n:])
			d.Line(b[:all], fmt.Sprintf("%s%s = %d", indent, fd.Name(), v))
		}
		b = b[all:]
	}
}

// Raw writes bytes that are no message.
func (d *Dump) Raw(s, meaning string) { d.Line([]byte(s), fmt.Sprintf("%s: %q", meaning, s)) }

// Line writes b and what it means, on as many lines as it takes.
func (d *Dump) Line(b []byte, meaning string) {
	const width = 12
	for first := true; first || len(b) > 0; first = false {
		n := min(width, len(b))
		digits := strings.TrimSpace(spaced(b[:n]))
		if first {
			fmt.Fprintf(d, "%-*s  %s\n", 3*width-1, digits, meaning)
		} else {
			fmt.Fprintf(d, "%s\n", digits)
		}
		b = b[n:]
	}
}

func spaced(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteString(hex.EncodeToString([]byte{c}) + " ")
	}
	return s.String()
}

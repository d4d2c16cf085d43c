package invoke

import (
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/pb/invokepb"
)

var update = flag.Bool("update", false, "rewrite the bytes in README.md")

const readme = "../README.md"

// TestReadmeShowsTheBytes holds the exchanges in README.md equal to what the
// codec writes.
func TestReadmeShowsTheBytes(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, want := range map[string]string{"post": postExchange(), "sse": sseExchange(), "refusal": refusalExchange()} {
		text = checkBlock(t, text, name, want)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkBlock returns text with the block of that name replaced by want.
func checkBlock(t *testing.T, text, name, want string) string {
	t.Helper()
	mark := "<!-- bytes: " + name + " -->\n```text\n"
	from := strings.Index(text, mark)
	if from < 0 {
		t.Fatalf("README.md has no block %q", mark)
	}
	from += len(mark)
	size := strings.Index(text[from:], "```")
	if got := text[from : from+size]; got != want && !*update {
		t.Errorf("bytes of %s in README.md (run with -update to rewrite them):\n%s\nwant\n%s", name, got, want)
	}
	return text[:from] + want + text[from+size:]
}

func postExchange() string {
	var d dump
	r := Request{
		CallID: "5f2c", Function: "hello", Method: "POST", Path: "/a", Query: "q=1", Host: "pi1:18080", Size: 5,
		Header: Header{{Name: "Content-Type", Value: "text/plain"}}, Deadline: 250 * time.Millisecond,
		Hops: []peer.ID{peer.ID("\x00\x01\x02\x03")},
	}
	d.call("client: request, with the first 5 bytes of the body, which are all", appendRequest(nil, &r, r.Deadline, nil))
	d.raw("hello", "body")
	a := Answer{Status: 200, Size: 8, Hops: []Hop{{Peer: "\x00\x05\x06\x07", Total: 900 * time.Microsecond, Service: 700 * time.Microsecond, Policy: "local", Reason: 1}}}
	n := load.News{Has: true, Sender: load.Report{Incarnation: 3, Counter: 77, Wait: 20 * time.Millisecond, Running: 1, Servers: 4, Speed: 1}}
	d.reply("server: answer, with the body", appendAnswer(nil, &a, nil, &n))
	d.raw("hi there", "body")
	return d.String()
}

func sseExchange() string {
	var d dump
	r := Request{Function: "ticker", Method: "GET", Header: Header{{Name: "Accept", Value: "text/event-stream"}}}
	d.call("client: request without a body", appendRequest(nil, &r, 0, nil))
	d.reply("server: after 20 ms there is no answer yet", appendProgress(nil, true, nil))
	a := Answer{Status: 200, Size: -1, Header: Header{{Name: "Content-Type", Value: "text/event-stream"}}}
	d.reply("server: answer of unknown size", appendAnswer(nil, &a, nil, nil))
	for _, event := range []string{"data: 1\n\n", "data: 2\n\n"} {
		d.title("server: a chunk")
		d.line(binary.AppendUvarint(nil, uint64(len(event))), "length")
		d.raw(event, "data")
	}
	d.title("server: the end")
	d.line([]byte{0}, "no more chunks")
	end := trailer{fields: Header{{Name: "X-Checksum", Value: "9a"}}}
	d.reply("", appendTrailer(nil, replyTrailer, &end, nil))
	return d.String()
}

func refusalExchange() string {
	var d dump
	r := Request{Function: "resize", Method: "POST", Size: 3}
	d.call("client: request, with the body", appendRequest(nil, &r, 0, nil))
	d.raw("abc", "body; the server reads and drops it")
	e := Error{Code: CodeRefused, Text: "queue full", RetryAfter: 2 * time.Second}
	d.reply("server: answer", appendAnswer(nil, &Answer{}, &e, nil))
	return d.String()
}

// dump writes bytes line by line, with what they mean.
type dump struct{ strings.Builder }

func (d *dump) title(s string) {
	if s != "" {
		fmt.Fprintf(d, "# %s\n", s)
	}
}

func (d *dump) call(title string, b []byte) {
	d.title(title)
	d.frame((&invokepb.Call{}).ProtoReflect().Descriptor(), b)
}

func (d *dump) reply(title string, b []byte) {
	d.title(title)
	d.frame((&invokepb.Reply{}).ProtoReflect().Descriptor(), b)
}

func (d *dump) frame(md protoreflect.MessageDescriptor, b []byte) {
	size, n := binary.Uvarint(b)
	d.line(b[:n], fmt.Sprintf("length of the frame: %d", size))
	d.message(md, b[n:], "")
}

// message names each field after the .proto, so that no name can be wrong.
func (d *dump) message(md protoreflect.MessageDescriptor, b []byte, indent string) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		fd := md.Fields().ByNumber(num)
		all := n + protowire.ConsumeFieldValue(num, typ, b[n:])
		switch {
		case fd.Message() != nil:
			sub, m := protowire.ConsumeBytes(b[n:])
			d.line(b[:n+m-len(sub)], fmt.Sprintf("%s%s, %d bytes", indent, fd.Name(), len(sub)))
			d.message(fd.Message(), sub, indent+"  ")
		case typ == protowire.BytesType:
			s, _ := protowire.ConsumeBytes(b[n:])
			d.line(b[:all], fmt.Sprintf("%s%s = %q", indent, fd.Name(), s))
		default:
			v, _ := protowire.ConsumeVarint(b[n:])
			d.line(b[:all], fmt.Sprintf("%s%s = %d", indent, fd.Name(), v))
		}
		b = b[all:]
	}
}

func (d *dump) raw(s, meaning string) { d.line([]byte(s), fmt.Sprintf("%s: %q", meaning, s)) }

func (d *dump) line(b []byte, meaning string) {
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

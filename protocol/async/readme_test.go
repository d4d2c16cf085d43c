package async

import (
	"bufio"
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
	"github.com/p2pfaas/p2pfaas/protocol/wiretext"
)

var update = flag.Bool("update", false, "rewrite the bytes in README.md")

// TestReadmeShowsTheBytes holds the exchanges in README.md equal to what the
// codec writes.
func TestReadmeShowsTheBytes(t *testing.T) {
	wiretext.Check(t, "../README.md", *update, map[string]string{"keep": keepExchange(t), "find": findExchange(t)})
}

func exampleCall() Call {
	return Call{ID: "5f2c", Function: "resize", Method: "POST", Host: "pi1:18080", Size: 5,
		Header:   invoke.Header{{Name: "Content-Type", Value: "text/plain"}},
		Callback: "http://pi2:9000/", Accepted: 3 * time.Millisecond}
}

func keepExchange(t *testing.T) string {
	d := dump{t: t}
	d.request("asker: keep, with the body", keepRequest(exampleCall()))
	d.body("hello", 5)
	d.reply("answerer: it is durable", &asyncpb.Reply{})
	return d.String()
}

func findExchange(t *testing.T) string {
	d := dump{t: t}
	find := &asyncpb.Find{CallId: []byte("5f2c"), WantResult: true}
	d.request("asker: find", &asyncpb.Request{What: &asyncpb.Request_Find{Find: find}})
	s := Status{Call: exampleCall(), Holder: peer.ID("\x00\x01\x02\x03"), State: Done, Attempts: 2, Code: 200,
		CallbackAttempts: 1, CallbackDelivered: true, Result: true, ResultSize: -1}
	d.reply("answerer: its status, and the answer's body, of unknown size", &asyncpb.Reply{Status: s.proto(), Body: true})
	d.body("hi there", -1)
	return d.String()
}

type dump struct {
	wiretext.Dump
	t *testing.T
}

func (d *dump) request(title string, m *asyncpb.Request) {
	d.Title(title)
	d.Frame(m.ProtoReflect().Descriptor(), d.written(func(w *bufio.Writer) error { return writeMessage(w, MaxMessage, m) }))
}

func (d *dump) reply(title string, m *asyncpb.Reply) {
	d.Title(title)
	d.Frame(m.ProtoReflect().Descriptor(), d.written(func(w *bufio.Writer) error { return writeMessage(w, MaxReply, m) }))
}

func (d *dump) body(s string, size int64) {
	b := d.written(func(w *bufio.Writer) error { return sendBody(w, strings.NewReader(s), size) })
	if size >= 0 {
		d.Raw(string(b), "body")
		return
	}
	d.Line(b[:1], "length of a chunk")
	d.Raw(string(b[1:len(b)-1]), "data")
	d.Line(b[len(b)-1:], "no more chunks")
}

func (d *dump) written(write func(*bufio.Writer) error) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	if err := write(w); err != nil {
		d.t.Fatal(err)
	}
	_ = w.Flush()
	return b.Bytes()
}

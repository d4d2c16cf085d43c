package invoke

import (
	"encoding/binary"
	"flag"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/pb/invokepb"
	"github.com/p2pfaas/p2pfaas/protocol/wiretext"
)

var update = flag.Bool("update", false, "rewrite the bytes in README.md")

// TestReadmeShowsTheBytes holds the exchanges in README.md equal to what the
// codec writes.
func TestReadmeShowsTheBytes(t *testing.T) {
	wiretext.Check(t, "../README.md", *update, map[string]string{"post": postExchange(), "sse": sseExchange(), "refusal": refusalExchange()})
}

func postExchange() string {
	var d dump
	r := Request{
		CallID: "5f2c", Function: "hello", Method: "POST", Path: "/a", Query: "q=1", Host: "pi1:18080", Size: 5,
		Header: Header{{Name: "Content-Type", Value: "text/plain"}}, Deadline: 250 * time.Millisecond,
		Hops: []peer.ID{peer.ID("\x00\x01\x02\x03")},
	}
	d.call("client: request, with the first 5 bytes of the body, which are all", appendRequest(nil, &r, r.Deadline, nil))
	d.Raw("hello", "body")
	a := Answer{Status: 200, Size: 8, Hops: []Hop{{Peer: "\x00\x05\x06\x07", Total: 900 * time.Microsecond, Service: 700 * time.Microsecond, Policy: "local", Reason: 1}}}
	n := load.News{Has: true, Sender: load.Report{Incarnation: 3, Counter: 77, Wait: 20 * time.Millisecond, Running: 1, Servers: 4, Speed: 1}}
	d.reply("server: answer, with the body", appendAnswer(nil, &a, nil, &n))
	d.Raw("hi there", "body")
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
		d.Title("server: a chunk")
		d.Line(binary.AppendUvarint(nil, uint64(len(event))), "length")
		d.Raw(event, "data")
	}
	d.Title("server: the end")
	d.Line([]byte{0}, "no more chunks")
	end := trailer{fields: Header{{Name: "X-Checksum", Value: "9a"}}}
	d.reply("", appendTrailer(nil, replyTrailer, &end, nil))
	return d.String()
}

func refusalExchange() string {
	var d dump
	r := Request{Function: "resize", Method: "POST", Size: 3}
	d.call("client: request, with the body", appendRequest(nil, &r, 0, nil))
	d.Raw("abc", "body; the server reads and drops it")
	e := Error{Code: CodeRefused, Text: "queue full", RetryAfter: 2 * time.Second}
	d.reply("server: answer", appendAnswer(nil, &Answer{}, &e, nil))
	return d.String()
}

type dump struct{ wiretext.Dump }

func (d *dump) call(title string, b []byte) {
	d.Title(title)
	d.Frame((&invokepb.Call{}).ProtoReflect().Descriptor(), b)
}

func (d *dump) reply(title string, b []byte) {
	d.Title(title)
	d.Frame((&invokepb.Reply{}).ProtoReflect().Descriptor(), b)
}

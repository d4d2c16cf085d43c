package pull

import (
	"flag"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/pb/pullpb"
	"github.com/p2pfaas/p2pfaas/protocol/wiretext"
)

var update = flag.Bool("update", false, "rewrite the bytes in README.md")

// TestReadmeShowsTheBytes holds the exchange in README.md equal to what the
// codec writes.
func TestReadmeShowsTheBytes(t *testing.T) {
	wiretext.Check(t, "../README.md", *update, map[string]string{"pull": exampleExchange()})
}

func exampleExchange() string {
	var d wiretext.Dump
	ask := Ask{From: peer.ID("\x00\x01\x02\x03"), Passes: 1, Asked: []peer.ID{"\x00\x01\x02\x04"}}
	d.Title("asker, passing it on")
	d.Frame((&pullpb.Ask{}).ProtoReflect().Descriptor(), frame(appendAsk(nil, &ask, someNews())))
	answer := Answer{OK: true, Messages: 0}
	d.Title("asked: something is on its way")
	d.Frame((&pullpb.Answer{}).ProtoReflect().Descriptor(), frame(appendAnswer(nil, &answer, someNews())))
	return d.String()
}

package pull

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/pb/loadpb"
	"github.com/p2pfaas/p2pfaas/protocol/pb/pullpb"
)

// id is a peer ID that can be read back: an identity multihash.
func id(name string) peer.ID { return peer.ID(append([]byte{0, byte(len(name))}, name...)) }

func someNews() *load.News {
	return &load.News{
		Has:    true,
		Sender: load.Report{Incarnation: 1, Counter: 2, Wait: 3 * time.Millisecond, Servers: 4, Speed: 1},
		Others: []load.Entry{{Peer: 42, Report: load.Report{Incarnation: 5, Counter: 6, Age: time.Millisecond, Speed: 1}}},
	}
}

func TestMessagesAreThoseOfTheProtoFile(t *testing.T) {
	sender := &loadpb.Report{Incarnation: 1, Counter: 2, WaitUs: 3000, Servers: 4}
	others := []*loadpb.Entry{{Peer: 42, Report: &loadpb.Report{Incarnation: 5, Counter: 6, AgeUs: 1000}}}
	ask := Ask{From: id("f"), Passes: 2, Notice: true, Asked: []peer.ID{id("a"), id("b")}}
	var gotAsk pullpb.Ask
	if err := proto.Unmarshal(appendAsk(nil, &ask, someNews()), &gotAsk); err != nil {
		t.Fatal(err)
	}
	wantAsk := &pullpb.Ask{Sender: sender, Others: others, From: []byte(id("f")), Passes: 2, Notice: true, Asked: [][]byte{[]byte(id("a")), []byte(id("b"))}}
	if diff := cmp.Diff(wantAsk, &gotAsk, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	answer := Answer{OK: true, By: id("b"), Messages: 3}
	var gotAnswer pullpb.Answer
	if err := proto.Unmarshal(appendAnswer(nil, &answer, someNews()), &gotAnswer); err != nil {
		t.Fatal(err)
	}
	wantAnswer := &pullpb.Answer{Sender: sender, Others: others, Ok: true, By: []byte(id("b")), Messages: 3}
	if diff := cmp.Diff(wantAnswer, &gotAnswer, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestAskComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]{1,8}`)
		want := Ask{
			From: id(name.Draw(t, "from")), Passes: rapid.IntRange(0, MaxPasses).Draw(t, "passes"),
			Notice: rapid.Bool().Draw(t, "notice"),
		}
		for _, n := range rapid.SliceOfN(name, 0, MaxAsked).Draw(t, "asked") {
			want.Asked = append(want.Asked, id(n))
		}
		var got Ask
		var n load.News
		if err := parseAsk(appendAsk(nil, &want, someNews()), &got, &n); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if !n.Has || n.Sender.Counter != 2 || len(n.Others) != 1 {
			t.Fatalf("news %+v", n)
		}
	})
}

func TestBounds(t *testing.T) {
	var a Ask
	var n load.News
	many := &pullpb.Ask{Passes: 1 << 30}
	for range 100 {
		many.Asked = append(many.Asked, []byte(id("x")))
		many.Others = append(many.Others, &loadpb.Entry{Peer: 1})
	}
	b, err := proto.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	if err := parseAsk(b, &a, &n); err != nil || len(a.Asked) != MaxAsked || a.Passes != MaxPasses || len(n.Others) != load.MaxEntries {
		t.Errorf("%d asked, %d passes, %d others, %v", len(a.Asked), a.Passes, len(n.Others), err)
	}
	long := binary.AppendUvarint(nil, MaxMessage+1)
	if _, err := readFrame(bufio.NewReader(bytes.NewReader(long)), nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("a length beyond the limit: %v", err)
	}
	short := append(binary.AppendUvarint(nil, 10), 1, 2)
	if _, err := readFrame(bufio.NewReader(bytes.NewReader(short)), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a message cut short: %v", err)
	}
	bad, _ := proto.Marshal(&pullpb.Ask{From: []byte("no peer ID")})
	if err := parseAsk(bad, &a, &n); !errors.Is(err, ErrMalformed) {
		t.Errorf("bytes that are no peer ID: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	ask := Ask{From: id("f"), Passes: 2, Asked: []peer.ID{id("a")}}
	f.Add(appendAsk(nil, &ask, someNews()))
	answer := Answer{OK: true, By: id("b"), Messages: 3}
	f.Add(appendAnswer(nil, &answer, someNews()))
	f.Add([]byte{0x0a, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var n load.News
		var a Ask
		if parseAsk(b, &a, &n) == nil {
			var again Ask
			if err := parseAsk(appendAsk(nil, &a, &n), &again, &n); err != nil || !cmp.Equal(a, again) {
				t.Fatalf("%+v became %+v, %v", a, again, err)
			}
		}
		var w Answer
		if parseAnswer(b, &w, &n) == nil {
			var again Answer
			if err := parseAnswer(appendAnswer(nil, &w, &n), &again, &n); err != nil || w != again {
				t.Fatalf("%+v became %+v, %v", w, again, err)
			}
		}
	})
}

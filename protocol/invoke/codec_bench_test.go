package invoke

import (
	"net/http"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// frameOf is a frame without its length and its outer message, as parse takes it.
func frameOf(tb testing.TB, b []byte) []byte {
	tb.Helper()
	src := source{buf: b, hi: len(b)}
	frame, err := src.frame(1 << 20)
	if err != nil {
		tb.Fatal(err)
	}
	_, inner, err := parseOneof(frame)
	if err != nil {
		tb.Fatal(err)
	}
	return inner
}

func typicalNews() *load.News {
	return &load.News{Has: true, Sender: load.Report{Counter: 12345, Queued: 3, Running: 2, Speed: 1, Wait: 20 * time.Millisecond}}
}

func typicalRequest() *Request {
	return &Request{
		CallID: "0123456789abcdef0123456789abcdef", Function: "echo", Method: http.MethodPost, Path: "/", Host: "localhost:8080",
		Header:   Header{{"Content-Type", "application/octet-stream"}, {"User-Agent", "bench"}, {"Accept", "*/*"}},
		Size:     1024,
		Deadline: time.Second, Hops: []peer.ID{"0123456789012345678901234567890123"},
	}
}

func typicalAnswer() *Answer {
	return &Answer{
		Status: http.StatusOK, Size: 1024,
		Header: Header{{"Content-Type", "application/octet-stream"}, {"Date", "Mon, 23 Nov 2026 12:00:00 GMT"}},
		Hops: []Hop{{Peer: "0123456789012345678901234567890123", Total: 123 * time.Microsecond,
			Decide: 3 * time.Microsecond, Service: 100 * time.Microsecond, Policy: "spread", Attempts: 1}},
	}
}

// codecCases are the frames of each call; allocs is what each may take: one copy
// of the frame, which all its strings share, and in an answer the hops.
func codecCases(tb testing.TB) []struct {
	name   string
	allocs float64
	run    func()
} {
	news, req, ans := typicalNews(), typicalRequest(), typicalAnswer()
	buf := make([]byte, 0, bufSize)
	reqFrame := frameOf(tb, appendRequest(nil, req, req.Deadline, news))
	ansFrame := frameOf(tb, appendAnswer(nil, ans, nil, news))
	var in inbound
	var out struct {
		Answer
		fields [4]Field
		hops   [2]Hop
	}
	var refusal Error
	var heard load.News
	fail := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return []struct {
		name   string
		allocs float64
		run    func()
	}{
		{"request/encode", 0, func() { buf = appendRequest(buf[:0], req, req.Deadline, news) }},
		{"request/decode", 1, func() {
			in.Request = Request{Header: in.fields[:0], Hops: in.hops[:0]}
			fail(parseRequest(reqFrame, &in.Request, &heard))
		}},
		{"answer/encode", 0, func() { buf = appendAnswer(buf[:0], ans, nil, news) }},
		{"answer/decode", 1, func() {
			out.Answer = Answer{Header: out.fields[:0], Hops: out.hops[:0]}
			fail(parseAnswer(ansFrame, &out.Answer, &refusal, &heard))
		}},
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, c := range codecCases(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.run()
			}
		})
	}
}

func TestFramesAllocate(t *testing.T) {
	for _, c := range codecCases(t) {
		if got := testing.AllocsPerRun(100, c.run); got > c.allocs {
			t.Errorf("%s: %v allocations, at most %v are due", c.name, got, c.allocs)
		}
	}
}

package invoke

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/pb/invokepb"
	"github.com/p2pfaas/p2pfaas/protocol/pb/loadpb"
)

func texts() *rapid.Generator[string] { return rapid.StringN(0, 20, 40) }

func fieldsOf(t *rapid.T) Header {
	n := rapid.IntRange(0, 5).Draw(t, "fields")
	var h Header
	for range n {
		name := "X-" + rapid.StringMatching(`[a-z]{0,8}`).Draw(t, "name")
		h = append(h, Field{Name: name, Value: string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "value"))})
	}
	return h
}

func peers(t *rapid.T) []peer.ID {
	var ids []peer.ID
	for range rapid.IntRange(0, maxHops).Draw(t, "hops") {
		ids = append(ids, peer.ID(rapid.SliceOfN(rapid.Byte(), 1, maxPeerID).Draw(t, "hop")))
	}
	return ids
}

func newsOf(t *rapid.T) load.News {
	n := load.News{Has: rapid.Bool().Draw(t, "has")}
	if n.Has {
		n.Sender = load.Report{Counter: rapid.Uint64().Draw(t, "counter"), Queued: rapid.IntRange(0, 1<<20).Draw(t, "queued"), Speed: 1}
	}
	for range rapid.IntRange(0, load.MaxEntries).Draw(t, "others") {
		n.Others = append(n.Others, load.Entry{Peer: load.Key(rapid.Uint64().Draw(t, "key")), Report: load.Report{Wait: time.Second, Speed: 2}})
	}
	return n
}

func requestsOf(t *rapid.T) Request {
	s := func(name string) string { return texts().Draw(t, name) }
	return Request{
		CallID: s("call"), Function: s("function"), Method: s("method"), Path: s("path"), Query: s("query"), Host: s("host"),
		Header: fieldsOf(t), Size: rapid.Int64Range(-1, math.MaxInt64-1).Draw(t, "size"),
		Deadline: time.Duration(rapid.IntRange(0, 1<<40).Draw(t, "deadline")) * time.Millisecond % (1 << 60),
		Hops:     peers(t), Avoid: peers(t), Parent: s("parent"), TraceParent: s("trace"), TraceState: s("state"),
		MayRepeat: rapid.Bool().Draw(t, "repeat"), Upgrade: s("upgrade"),
		Fingerprint: rapid.SliceOfN(rapid.Byte(), 0, maxFingerprint).Draw(t, "fingerprint"),
		TaskType:    rapid.Float64().Draw(t, "type"), Priority: int(rapid.Int32().Draw(t, "priority")),
	}
}

// generatedRequest is what the generated code makes of r and n.
func generatedRequest(r *Request, n *load.News) *invokepb.Request {
	g := &invokepb.Request{
		CallId: r.CallID, Function: r.Function, Method: r.Method, Path: []byte(r.Path), Query: []byte(r.Query), Host: r.Host,
		Headers: generatedHeader(r.Header), SizePlusOne: uint64(r.Size + 1), DeadlineMs: uint64(r.Deadline / time.Millisecond),
		Parent: r.Parent, TraceParent: r.TraceParent, TraceState: r.TraceState, MayRepeat: r.MayRepeat, Upgrade: r.Upgrade,
		Fingerprint: r.Fingerprint, TaskType: r.TaskType, Priority: int32(r.Priority),
	}
	for _, h := range r.Hops {
		g.Hops = append(g.Hops, []byte(h))
	}
	for _, p := range r.Avoid {
		g.Avoid = append(g.Avoid, []byte(p))
	}
	g.Sender, g.Others = generatedNews(n)
	return g
}

func generatedHeader(h Header) []*invokepb.Field {
	var g []*invokepb.Field
	for _, f := range h {
		g = append(g, &invokepb.Field{Name: f.Name, Value: []byte(f.Value)})
	}
	return g
}

func generatedNews(n *load.News) (*loadpb.Report, []*loadpb.Entry) {
	var m loadpb.Message
	if err := proto.Unmarshal(load.AppendNews(nil, 1, 2, n), &m); err != nil {
		panic(err)
	}
	return m.GetSender(), m.GetOthers()
}

// unframe takes the length off and checks it.
func unframe(t *rapid.T, b []byte) []byte {
	size, n := binary.Uvarint(b)
	if n <= 0 || int(size) != len(b)-n {
		t.Fatalf("length %d before %d bytes", size, len(b)-n)
	}
	return b[n:]
}

// sameMessage fails unless both are the same to the generated code. Empty bytes
// are the same as none.
func sameMessage(t *rapid.T, got, want proto.Message) {
	w, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := proto.MarshalOptions{Deterministic: true}.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(g, w) {
		t.Fatalf("generated code reads\n%v\nwant\n%v", got, want)
	}
}

func mustMarshal(t *rapid.T, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var same = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateNaNs()}

func TestRequestEqualsGeneratedCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, n := requestsOf(t), newsOf(t)
		want := &invokepb.Call{Frame: &invokepb.Call_Request{Request: generatedRequest(&r, &n)}}

		var got invokepb.Call
		if err := proto.Unmarshal(unframe(t, appendRequest(nil, &r, r.Deadline, &n)), &got); err != nil {
			t.Fatal(err)
		}
		sameMessage(t, &got, want)

		kind, b, err := parseOneof(mustMarshal(t, want))
		if err != nil || kind != callRequest {
			t.Fatalf("frame %v, %v", kind, err)
		}
		var back Request
		var news load.News
		if err := parseRequest(b, &back, &news); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back, same); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(n, news, same); diff != "" {
			t.Fatal(diff)
		}
	})
}

func answersOf(t *rapid.T) (Answer, Error) {
	a := Answer{
		Status: rapid.IntRange(0, 999).Draw(t, "status"), Header: fieldsOf(t), Size: rapid.Int64Range(-1, math.MaxInt64-1).Draw(t, "size"),
		NoBody: rapid.Bool().Draw(t, "nobody"), Fingerprint: rapid.SliceOfN(rapid.Byte(), 0, maxFingerprint).Draw(t, "fingerprint"),
	}
	us := func(name string) time.Duration {
		return time.Duration(rapid.IntRange(0, 1<<40).Draw(t, name)) * time.Microsecond
	}
	for _, id := range peers(t) {
		a.Hops = append(a.Hops, Hop{
			Peer: id, Total: us("total"), Decide: us("decide"), Probe: us("probe"), Queue: us("queue"), Service: us("service"),
			Policy: texts().Draw(t, "policy"), Reason: rapid.Uint8().Draw(t, "reason"), Attempts: rapid.IntRange(0, 1<<20).Draw(t, "attempts"),
		})
	}
	e := Error{
		Code: Code(rapid.Uint32().Draw(t, "code")), Text: texts().Draw(t, "text"),
		RetryAfter: time.Duration(rapid.IntRange(0, 1<<30).Draw(t, "retry")) * time.Millisecond,
	}
	return a, e
}

func generatedAnswer(a *Answer, e *Error, n *load.News) *invokepb.Answer {
	g := &invokepb.Answer{
		Code: uint32(e.Code), Text: e.Text, RetryAfterMs: uint64(e.RetryAfter / time.Millisecond),
		Status: uint32(a.Status), Headers: generatedHeader(a.Header), SizePlusOne: uint64(a.Size + 1), NoBody: a.NoBody, Fingerprint: a.Fingerprint,
	}
	for _, h := range a.Hops {
		g.Hops = append(g.Hops, &invokepb.Hop{
			Peer: []byte(h.Peer), TotalUs: uint64(h.Total.Microseconds()), DecideUs: uint64(h.Decide.Microseconds()), ProbeUs: uint64(h.Probe.Microseconds()),
			QueueUs: uint64(h.Queue.Microseconds()), ServiceUs: uint64(h.Service.Microseconds()), Policy: h.Policy, Reason: uint32(h.Reason), Attempts: uint32(h.Attempts),
		})
	}
	g.Sender, g.Others = generatedNews(n)
	return g
}

func TestAnswerEqualsGeneratedCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, e := answersOf(t)
		n := newsOf(t)
		want := &invokepb.Reply{Frame: &invokepb.Reply_Answer{Answer: generatedAnswer(&a, &e, &n)}}

		var got invokepb.Reply
		if err := proto.Unmarshal(unframe(t, appendAnswer(nil, &a, &e, &n)), &got); err != nil {
			t.Fatal(err)
		}
		sameMessage(t, &got, want)

		kind, b, err := parseOneof(mustMarshal(t, want))
		if err != nil || kind != replyAnswer {
			t.Fatalf("frame %v, %v", kind, err)
		}
		var back Answer
		var why Error
		var news load.News
		if err := parseAnswer(b, &back, &why, &news); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, back, same); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(e, why, same); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(n, news, same); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestSmallFramesEqualGeneratedCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newsOf(t)
		n.Others = nil // small frames carry the sender's report only
		sender, _ := generatedNews(&n)
		started := rapid.Bool().Draw(t, "started")
		end := trailer{fields: fieldsOf(t), code: Code(rapid.Uint32().Draw(t, "code")), text: texts().Draw(t, "text")}
		wire := &invokepb.Trailer{Fields: generatedHeader(end.fields), Code: uint32(end.code), Text: end.text, Sender: sender}
		state := invokepb.Progress_QUEUED
		if started {
			state = invokepb.Progress_STARTED
		}
		for _, c := range []struct {
			got  []byte
			into proto.Message
			want proto.Message
		}{
			{appendProgress(nil, started, &n), &invokepb.Reply{}, &invokepb.Reply{Frame: &invokepb.Reply_Progress{Progress: &invokepb.Progress{State: state, Sender: sender}}}},
			{appendCancelResult(nil, started), &invokepb.Reply{}, &invokepb.Reply{Frame: &invokepb.Reply_CancelResult{CancelResult: &invokepb.CancelResult{Cancelled: started}}}},
			{appendTrailer(nil, replyTrailer, &end, &n), &invokepb.Reply{}, &invokepb.Reply{Frame: &invokepb.Reply_Trailer{Trailer: wire}}},
			{appendTrailer(nil, callTrailer, &end, &n), &invokepb.Call{}, &invokepb.Call{Frame: &invokepb.Call_Trailer{Trailer: wire}}},
			{appendCancel(nil), &invokepb.Call{}, &invokepb.Call{Frame: &invokepb.Call_CancelIfQueued{CancelIfQueued: &invokepb.CancelIfQueued{}}}},
		} {
			if err := proto.Unmarshal(unframe(t, c.got), c.into); err != nil {
				t.Fatal(err)
			}
			sameMessage(t, c.into, c.want)
		}
		var p Progress
		var news load.News
		if err := parseProgress(mustMarshal(t, &invokepb.Progress{State: state, Sender: sender}), &p, &news); err != nil || p.Started != started {
			t.Fatalf("progress %v, %v", p, err)
		}
		if diff := cmp.Diff(n, news, same); diff != "" {
			t.Fatal(diff)
		}
		var back trailer
		if err := parseTrailer(mustMarshal(t, wire), &back, &news); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(end, back, same, cmp.AllowUnexported(trailer{})); diff != "" {
			t.Fatal(diff)
		}
		cancelled, err := parseCancelResult(mustMarshal(t, &invokepb.CancelResult{Cancelled: started}))
		if err != nil || cancelled != started {
			t.Fatalf("cancelled %v, %v", cancelled, err)
		}
	})
}

func TestHeaderLeavesOutWhatIsNotEndToEnd(t *testing.T) {
	h := Header{
		{Name: "A", Value: "1"}, {Name: "CONNECTION", Value: "close, X-One"}, {Name: "connection", Value: "x-two"}, {Name: "X-One", Value: "1"},
		{Name: "X-Two", Value: "2"}, {Name: "te", Value: "trailers"}, {Name: "Trailer", Value: "X"}, {Name: "Transfer-Encoding", Value: "chunked"},
		{Name: "Upgrade", Value: "h2c"}, {Name: "Keep-Alive", Value: "1"}, {Name: "Proxy-Connection", Value: "1"}, {Name: "Proxy-Authorization", Value: "1"},
		{Name: "Proxy-Authenticate", Value: "1"}, {Name: "Host", Value: "a"}, {Name: "Content-Length", Value: "5"}, {Name: "A", Value: "2"},
	}
	want := Header{{Name: "A", Value: "1"}, {Name: "A", Value: "2"}}
	var sent invokepb.Request
	if err := proto.Unmarshal(appendHeader(nil, reqHeaders, h), &sent); err != nil || len(sent.GetHeaders()) != len(want) {
		t.Fatalf("sent %v, %v", sent.GetHeaders(), err)
	}
	b, err := proto.Marshal(&invokepb.Request{Headers: generatedHeader(h)})
	if err != nil {
		t.Fatal(err)
	}
	var r Request
	if err := parseRequest(b, &r, &load.News{}); err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Header {
		if !crosses(f.Name) {
			t.Errorf("%s was taken", f.Name)
		}
	}
}

func TestCountsAreBounded(t *testing.T) {
	parse := func(m *invokepb.Request) (Request, error) {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var r Request
		err = parseRequest(b, &r, &load.News{})
		return r, err
	}
	if _, err := parse(&invokepb.Request{Headers: generatedHeader(make(Header, maxFields+1))}); !errors.Is(err, errTooLarge) {
		t.Errorf("too many fields: %v", err)
	}
	r, err := parse(&invokepb.Request{Hops: bytes.SplitAfter(bytes.Repeat([]byte("a"), 100), []byte("a"))[:100]})
	if err != nil || len(r.Hops) != maxHops+1 {
		t.Errorf("%d hops, %v", len(r.Hops), err)
	}
	if _, err := parse(&invokepb.Request{Hops: [][]byte{make([]byte, maxPeerID+1)}}); !errors.Is(err, errMalformed) {
		t.Errorf("long hop: %v", err)
	}
	if _, err := parse(&invokepb.Request{Fingerprint: make([]byte, maxFingerprint+1)}); !errors.Is(err, errMalformed) {
		t.Errorf("long fingerprint: %v", err)
	}
}

func TestSourceReadsWhateverThePieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 8).Draw(t, "frames")
		var wire []byte
		for _, f := range frames {
			wire = append(binary.AppendUvarint(wire, uint64(len(f))), f...)
		}
		var r io.Reader = bytes.NewReader(wire)
		if rapid.Bool().Draw(t, "one byte") {
			r = iotest.OneByteReader(r)
		}
		src := source{r: r, buf: make([]byte, rapid.IntRange(10, 400).Draw(t, "buffer"))}
		for i, want := range frames {
			got, err := src.frame(300)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("frame %d: %v, %v", i, got, err)
			}
		}
		if _, err := src.frame(300); !isEnd(err) {
			t.Fatalf("end: %v", err)
		}
	})
}

func TestSourceDoesNotBelieveLengths(t *testing.T) {
	src := source{r: bytes.NewReader(append(binary.AppendUvarint(nil, 1<<30), 1, 2, 3)), buf: make([]byte, bufSize)}
	if got := testing.AllocsPerRun(1, func() {
		src.r = bytes.NewReader(append(binary.AppendUvarint(nil, 1<<30), 1, 2, 3))
		src.lo, src.hi = 0, 0
		if _, err := src.frame(1 << 30); !errors.Is(err, errShort) {
			t.Fatal(err)
		}
	}); got > 10 {
		t.Errorf("%v allocations", got)
	}
}

func seedRequest() []byte {
	r := Request{Function: "f", Method: "GET", Path: "/x", Size: 3, Hops: []peer.ID{"ab"}, Header: Header{{Name: "A", Value: "b"}}}
	return appendRequest(nil, &r, time.Second, &load.News{Has: true, Sender: load.Report{Counter: 1}})[1:]
}

// FuzzCall reads any bytes as a frame of a client, and what passes again.
func FuzzCall(f *testing.F) {
	f.Add(seedRequest())
	f.Add(appendCancel(nil)[1:])
	f.Add(appendTrailer(nil, callTrailer, &trailer{fields: Header{{Name: "A", Value: "b"}}}, nil)[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, body, err := parseOneof(b)
		if err != nil {
			return
		}
		var news load.News
		switch kind {
		case callRequest:
			fuzzRequest(t, body)
		case callTrailer:
			var end trailer
			_ = parseTrailer(body, &end, &news)
		}
	})
}

func fuzzRequest(t *testing.T, b []byte) {
	t.Helper()
	var r, again Request
	var news load.News
	if parseRequest(b, &r, &news) != nil {
		return
	}
	if len(r.Header) > maxFields || len(r.Hops) > maxHops+1 || len(news.Others) > load.MaxEntries || r.Size < -1 {
		t.Fatalf("limits: %+v", r)
	}
	_ = r.check()
	if connectionOptions(r.Header) != "" {
		t.Fatal("a Connection field came through")
	}
	_, body, err := parseOneof(appendRequest(nil, &r, r.Deadline, &news)[uvarintLen(appendRequest(nil, &r, r.Deadline, &news)):])
	if err != nil {
		t.Fatal(err)
	}
	if err := parseRequest(body, &again, &news); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again, same); diff != "" {
		t.Fatal(diff)
	}
}

func uvarintLen(b []byte) int {
	_, n := binary.Uvarint(b)
	return n
}

// FuzzReply reads any bytes as a frame of a server.
func FuzzReply(f *testing.F) {
	f.Add(appendAnswer(nil, &Answer{Status: 200, Size: 2, Hops: []Hop{{Peer: "a", Total: 5}}}, nil, nil)[1:])
	f.Add(appendAnswer(nil, &Answer{}, &Error{Code: CodeRefused, Text: "full"}, nil)[1:])
	f.Add(appendProgress(nil, true, &load.News{Has: true})[1:])
	f.Add(appendCancelResult(nil, true)[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, body, err := parseOneof(b)
		if err != nil {
			return
		}
		var news load.News
		switch kind {
		case replyAnswer:
			var a Answer
			var e Error
			if parseAnswer(body, &a, &e, &news) == nil && (len(a.Header) > maxFields || len(a.Hops) > maxAnswerHops || a.Size < -1 || a.Status < 0) {
				t.Fatalf("limits: %+v", a)
			}
		case replyProgress:
			_ = parseProgress(body, &Progress{}, &news)
		case replyTrailer:
			_ = parseTrailer(body, &trailer{}, &news)
		case replyCancelResult:
			_, _ = parseCancelResult(body)
		}
	})
}

// FuzzChunks reads any bytes as chunks and frames.
func FuzzChunks(f *testing.F) {
	f.Add([]byte{3, 'a', 'b', 'c', 0, 2, 0x12, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		src := source{r: bytes.NewReader(b), buf: make([]byte, 16)}
		for total := 0; ; {
			size, err := src.uvarint(maxChunk)
			if err != nil {
				return
			}
			if size == 0 {
				_, _ = src.frame(1 << 20)
				return
			}
			n, err := io.CopyN(io.Discard, &src, int64(size))
			if total += int(n); total > len(b) {
				t.Fatalf("%d bytes out of %d", total, len(b))
			}
			if err != nil {
				return
			}
		}
	})
}

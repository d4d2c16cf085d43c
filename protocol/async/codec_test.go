package async

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
)

func keepRequest(c Call) *asyncpb.Request {
	return &asyncpb.Request{What: &asyncpb.Request_Keep{Keep: &asyncpb.Keep{Call: c.proto()}}}
}

// sendRaw sends m and what follows it, and ends the asker's side.
func sendRaw(t *testing.T, x *exchange, m proto.Message, follows []byte) {
	t.Helper()
	if err := writeMessage(x.w, MaxMessage, m); err != nil {
		t.Fatal(err)
	}
	_, _ = x.w.Write(follows)
	if err := errors.Join(x.w.Flush(), x.stream.CloseWrite()); err != nil {
		t.Fatal(err)
	}
}

func bodyOf(r *asyncpb.Reply) *asyncpb.Reply {
	r.Body = true
	return r
}

func TestBadRepliesAreErrors(t *testing.T) {
	asker, s, answerer := pair(t, newKept(), nil)
	_ = s.Close()
	good := sampleStatus("a", answerer.ID(), -1)
	with := func(change func(*asyncpb.Status)) *asyncpb.Reply {
		m := good.proto()
		change(m)
		return &asyncpb.Reply{Status: m}
	}
	for name, reply := range map[string]*asyncpb.Reply{
		"nothing":      {},
		"other call":   with(func(m *asyncpb.Status) { m.Call.CallId = []byte("b") }),
		"no holder":    with(func(m *asyncpb.Status) { m.Holder = nil }),
		"no peer ID":   with(func(m *asyncpb.Status) { m.Holder = []byte("me") }),
		"no state":     with(func(m *asyncpb.Status) { m.State = 0 }),
		"newer state":  with(func(m *asyncpb.Status) { m.State = 99 }),
		"status 1000":  with(func(m *asyncpb.Status) { m.Code = 1000 }),
		"status 100":   with(func(m *asyncpb.Status) { m.Result, m.Code = true, 100 }),
		"header":       with(func(m *asyncpb.Status) { m.ResultHeaders[0].Value = []byte("a\r\nX: b") }),
		"size of 2^64": with(func(m *asyncpb.Status) { m.ResultSizePlusOne = 1<<64 - 1 }),
		"stray body":   bodyOf(with(func(m *asyncpb.Status) { m.Result, m.Code = false, 0 })),
	} {
		t.Run(name, func(t *testing.T) {
			answerer.SetStreamHandler(ID, func(s network.Stream) { _, _ = protodelim.MarshalTo(s, reply); _ = s.Close() })
			if _, _, err := NewClient(asker).Find(within(t), answerer.ID(), "a", true); !errors.Is(err, ErrBadReply) || errors.Is(err, ErrBadRequest) {
				t.Errorf("error %v, want %v", err, ErrBadReply)
			}
		})
	}
}

func TestTextOfPeersIsTame(t *testing.T) {
	asker, s, answerer := pair(t, newKept(), nil)
	_ = s.Close()
	reply := &asyncpb.Reply{Code: 7, Text: "full\x1b[2J\n" + string(bytes.Repeat([]byte("x"), 5000))}
	answerer.SetStreamHandler(ID, func(s network.Stream) { _, _ = protodelim.MarshalTo(s, reply); _ = s.Close() })
	err := NewClient(asker).Forget(within(t), answerer.ID(), "a")
	var said *refusal
	if !errors.Is(err, ErrFull) || !errors.As(err, &said) || len(said.text) != maxText || said.text[:8] != "full[2Jx" {
		t.Errorf("error %.60q", err)
	}
}

func TestCodesAreThemselves(t *testing.T) {
	for c, want := range refusals() {
		got, text := codeOf(want)
		if got != c || !errors.Is(errorOf(c, text), want) {
			t.Errorf("%v is sent as %d and received as %v", want, got, errorOf(got, text))
		}
	}
	if err := errorOf(99, ""); !errors.Is(err, ErrInternal) {
		t.Errorf("a code of a newer version is %v, want %v", err, ErrInternal)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		want  string
	}{
		"empty":        {"", "read length of message: unexpected EOF"},
		"cut length":   {"\xff", "read length of message: unexpected EOF"},
		"beyond limit": {"\x81\x80\x40", "message of 1048577 bytes, at most 1048576 are allowed"},
		"2^64":         {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "message of 18446744073709551615 bytes, at most 1048576 are allowed"},
		"cut message":  {"\x80\x80\x40abc", "read message of 1048576 bytes: unexpected EOF"},
	} {
		err := readMessage(bufio.NewReader(bytes.NewReader([]byte(c.bytes))), MaxMessage, &asyncpb.Request{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
}

// TestBodiesHoweverTheyAreCut: a body reads as it was sent, and each proper
// beginning of its bytes as a cut one.
func TestBodiesHoweverTheyAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := pattern(rapid.IntRange(0, 3*bufSize).Draw(t, "size"))
		size := int64(len(body))
		if rapid.Bool().Draw(t, "chunked") {
			size = -1
		}
		var sent bytes.Buffer
		if err := sendBody(bufio.NewWriter(&sent), bytes.NewReader(body), size); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(newBodyReader(bufio.NewReader(bytes.NewReader(sent.Bytes())), size))
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%d bytes read of %d, error %v", len(got), len(body), err)
		}
		if sent.Len() == 0 {
			return
		}
		part := sent.Bytes()[:rapid.IntRange(0, sent.Len()-1).Draw(t, "cut")]
		got, err = io.ReadAll(newBodyReader(bufio.NewReader(bytes.NewReader(part)), size))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(body, got) {
			t.Fatalf("cut after %d of %d bytes: error %v, want %v", len(part), sent.Len(), err, io.ErrUnexpectedEOF)
		}
	})
}

func FuzzRequest(f *testing.F) {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	_ = writeMessage(w, MaxMessage, keepRequest(sampleCall("a", -1)))
	_ = sendBody(w, bytes.NewReader(pattern(100)), -1)
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReader(bytes.NewReader(data))
		var request asyncpb.Request
		if readMessage(r, MaxMessage, &request) != nil {
			return
		}
		call, err := parseCall(request.GetKeep().GetCall())
		if err != nil {
			if !errors.Is(err, ErrBadRequest) {
				t.Fatalf("error %v, want %v", err, ErrBadRequest)
			}
			return
		}
		again, err := parseCall(call.proto())
		if diff := cmp.Diff(call, again); err != nil || diff != "" {
			t.Fatalf("written and read again: error %v, -want +got:\n%s", err, diff)
		}
		body := newBodyReader(r, call.Size)
		n, err := io.Copy(io.Discard, body)
		if n > int64(len(data)) || err == nil && call.Size >= 0 && n != call.Size || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("body of %d bytes, stated are %d, error %v", n, call.Size, err)
		}
	})
}

func FuzzStatus(f *testing.F) {
	holder, _ := peer.Decode("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
	status := sampleStatus("a", holder, 1000)
	seed, _ := proto.Marshal(status.proto())
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var m asyncpb.Status
		if proto.Unmarshal(data, &m) != nil {
			return
		}
		s, err := parseStatus(&m)
		if err != nil {
			if !errors.Is(err, ErrBadReply) {
				t.Fatalf("error %v, want %v", err, ErrBadReply)
			}
			return
		}
		if s.Next < 0 || s.Accepted < 0 || s.Attempts < 0 {
			t.Fatalf("negative: %v, %v, %d", s.Next, s.Accepted, s.Attempts)
		}
		again, err := parseStatus(s.proto())
		if diff := cmp.Diff(s, again); err != nil || diff != "" {
			t.Fatalf("written and read again: error %v, -want +got:\n%s", err, diff)
		}
	})
}

func TestStateEnds(t *testing.T) {
	for state, want := range map[State]bool{Queued: false, Running: false, Done: true, Dead: true, Cancelled: true} {
		if state.Ended() != want {
			t.Errorf("%s has ended: %t, want %t", state, state.Ended(), want)
		}
	}
	if d := duration(1<<64 - 1); d < 0 || d < 24*time.Hour {
		t.Errorf("the longest time is read as %v", d)
	}
}

package invoke_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/pb/invokepb"
)

func frame(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
}

func request(size uint64) *invokepb.Call {
	return &invokepb.Call{Frame: &invokepb.Call_Request{Request: &invokepb.Request{Function: "echo", Method: "POST", SizePlusOne: size}}}
}

func openRaw(t *testing.T, p *pair) network.Stream {
	t.Helper()
	s, err := p.a.NewStream(within(t), p.peer(), invoke.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Reset() })
	_ = s.SetDeadline(time.Now().Add(30 * time.Second))
	return s
}

func TestViolationsResetTheStream(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			_, _ = io.Copy(io.Discard, c.Body)
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		hugeHeader := binary.AppendUvarint(nil, 10<<20)
		hugeChunk := binary.AppendUvarint(frame(t, request(0)), 1<<40)
		for name, b := range map[string][]byte{
			"garbage":           append([]byte{0x47}, bytes.Repeat([]byte{0xff}, 100)...),
			"10 MB header":      hugeHeader,
			"endless length":    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
			"negative length":   append(binary.AppendUvarint(nil, 1<<63), 0),
			"negative size":     frame(t, request(1<<64-1)),
			"huge chunk":        hugeChunk,
			"second request":    append(frame(t, request(1)), frame(t, request(1))...),
			"stray trailer":     frame(t, &invokepb.Call{Frame: &invokepb.Call_Trailer{Trailer: &invokepb.Trailer{}}}),
			"no trailer":        append(append(frame(t, request(0)), 0), frame(t, request(1))...),
			"truncated message": {3, 0x0a, 0x7f, 0x01},
		} {
			t.Run(name, func(t *testing.T) {
				s := openRaw(t, p)
				if _, err := s.Write(b); err != nil {
					t.Fatal(err)
				}
				_, err := io.Copy(io.Discard, s)
				var reset *network.StreamError
				if !errors.As(err, &reset) || invoke.Code(reset.ErrorCode) != invoke.CodeProtocol {
					t.Errorf("stream ended with %v, want a reset with CodeProtocol", err)
				}
			})
		}
		eventually(t, "no stream is left", func() bool { return streams(p.b) == 0 })
	})
}

func TestHalfClosedStreams(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, echo)
		// Nothing at all, then the end.
		s := openRaw(t, p)
		_ = s.CloseWrite()
		if b, err := io.ReadAll(s); len(b) != 0 || err != nil {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		// Whole request, then the end: it is answered.
		s = openRaw(t, p)
		if _, err := s.Write(append(frame(t, request(6)), "hello"...)); err != nil {
			t.Fatal(err)
		}
		_ = s.CloseWrite()
		b, err := io.ReadAll(s)
		if err != nil || len(b) < 5 || string(b[len(b)-5:]) != "hello" {
			t.Errorf("answer %q, %v", b, err)
		}
		// The end within a body.
		s = openRaw(t, p)
		if _, err := s.Write(append(frame(t, request(100)), "hello"...)); err != nil {
			t.Fatal(err)
		}
		_ = s.CloseWrite()
		if _, err := io.ReadAll(s); err == nil {
			t.Error("a body that ends early was accepted")
		}
		eventually(t, "no stream is left", func() bool { return streams(p.b) == 0 })
	})
}

func TestUnknownFramesAndFieldsAreSkipped(t *testing.T) {
	p := newPair(t, pairOptions{}, echo)
	s := openRaw(t, p)
	unknown := []byte{4, 0x7a, 2, 1, 2} // field 15, a message
	r := frame(t, request(3))
	r[0] += 3
	r[2] += 3
	r = append(r, 0xa2, 0x06, 0) // field 100 of Request
	if _, err := s.Write(append(append(append([]byte{0}, unknown...), r...), "ab"...)); err != nil {
		t.Fatal(err)
	}
	_ = s.CloseWrite()
	if b, err := io.ReadAll(s); err != nil || len(b) < 2 || string(b[len(b)-2:]) != "ab" {
		t.Errorf("answer %q, %v", b, err)
	}
}

// TestServerBreaksTheProtocol has a server that answers nonsense.
func TestServerBreaksTheProtocol(t *testing.T) {
	for name, c := range map[string]struct {
		say  []byte
		code invoke.Code
	}{
		"garbage":      {[]byte{3, 0x0a, 0x7f, 0x01}, invoke.CodeProtocol},
		"huge":         {binary.AppendUvarint(nil, 1<<40), invoke.CodeProtocol},
		"status":       {frame(t, &invokepb.Reply{Frame: &invokepb.Reply_Answer{Answer: &invokepb.Answer{Status: 1}}}), invoke.CodeProtocol},
		"unread":       {nil, invoke.CodeRefused},
		"half a frame": {[]byte{9, 1}, invoke.CodeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, pairOptions{}, echo)
			p.b.SetStreamHandler(invoke.ID, func(s network.Stream) {
				_, _ = s.Write(c.say)
				_ = s.Close()
			})
			_, err := p.client.Invoke(within(t), p.peer(), post("x"))
			wantCode(t, err, c.code)
			if c.code == invoke.CodeProtocol && invoke.NotStarted(err) {
				t.Errorf("%v claims that it did not start", err)
			}
		})
	}
}

// TestResetCodes: what a server resets with, a client hears.
func TestResetCodes(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		for reset, want := range map[network.StreamErrorCode]invoke.Code{
			network.StreamErrorCode(invoke.CodeRefused):  invoke.CodeRefused,
			network.StreamErrorCode(invoke.CodeDraining): invoke.CodeDraining,
			network.StreamErrorCode(invoke.CodeShutdown): invoke.CodeShutdown,
			network.StreamResourceLimitExceeded:          invoke.CodeRefused,
			0:                                            invoke.CodeUnknown,
			7:                                            invoke.CodeUnknown,
		} {
			p := newPair(t, pairOptions{transport: transport}, echo)
			p.b.SetStreamHandler(invoke.ID, func(s network.Stream) {
				_, _ = s.Read(make([]byte, 100))
				_ = s.ResetWithError(reset)
			})
			_, err := p.client.Invoke(within(t), p.peer(), post("x"))
			wantCode(t, err, want)
			if invoke.NotStarted(err) != want.NotStarted() {
				t.Errorf("NotStarted of %v", err)
			}
		}
	})
}

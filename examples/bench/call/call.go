// Package call is what both ends of the rivals agree upon: a gRPC service, the
// subject of a broker, and P2PFaaS's message.
package call

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// MaxMessage is the longest message of gRPC and of the broker.
const MaxMessage = 64 << 20

// Subject is where the broker takes calls.
const Subject = "echo"

// The methods of the gRPC service.
const (
	service = "bench.Function"
	Unary   = "/" + service + "/Invoke"
	Parts   = "/" + service + "/Stream"
)

// Stream is one streamed call, at either end.
type Stream interface {
	Context() context.Context
	SendMsg(m any) error
	RecvMsg(m any) error
}

// Node answers the gRPC service's calls.
type Node interface {
	Invoke(ctx context.Context, in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error)
	Stream(s Stream) error
}

// PartsDesc describes the streamed method to a client.
func PartsDesc() *grpc.StreamDesc {
	return &grpc.StreamDesc{StreamName: "Stream", ClientStreams: true, ServerStreams: true}
}

// Service describes the gRPC service to a server, as protoc's Go code would.
func Service(n Node) *grpc.ServiceDesc {
	stream := *PartsDesc()
	stream.Handler = func(_ any, s grpc.ServerStream) error { return n.Stream(s) }
	unary := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.BytesValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		return n.Invoke(ctx, in)
	}
	return &grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Invoke", Handler: unary}},
		Streams:     []grpc.StreamDesc{stream},
	}
}

// partSize is the length of a streamed part.
const partSize = 64 << 10

// SendParts sends a body in parts, all in one message's memory: it was encoded
// when SendMsg returns, and no tracer or statistics handler looks at it later.
func SendParts(s Stream, body io.Reader) error {
	part := &wrapperspb.BytesValue{Value: make([]byte, partSize)}
	for {
		n, err := io.ReadFull(body, part.Value[:partSize])
		if n > 0 {
			part.Value = part.Value[:n]
			if err := s.SendMsg(part); err != nil {
				return fmt.Errorf("send a part: %w", err)
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// PartReader reads a body that comes in parts.
type PartReader struct {
	s    Stream
	part wrapperspb.BytesValue
	rest []byte
}

// NewPartReader returns a PartReader of s.
func NewPartReader(s Stream) *PartReader { return &PartReader{s: s} }

func (r *PartReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if err := r.s.RecvMsg(&r.part); err != nil {
			return 0, err // io.EOF if the other side has sent all
		}
		r.rest = r.part.Value
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

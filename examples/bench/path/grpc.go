package path

import (
	"context"
	"crypto/tls"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
)

// unary calls over gRPC with whole messages.
type unary struct{ conn *grpc.ClientConn }

// streamed calls over gRPC with a stream for each call.
type streamed struct{ unary }

// GRPC returns a client of call's service over TLS, of its unary or its streamed
// method.
func GRPC(addr string, trust *tls.Config, stream bool) (Client, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(trust)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(call.MaxMessage), grpc.MaxCallSendMsgSize(call.MaxMessage)))
	if err != nil {
		return nil, err
	}
	if stream {
		return &streamed{unary{conn}}, nil
	}
	return &unary{conn}, nil
}

func (c *unary) Call(ctx context.Context, x *Exchange) error {
	answer := new(wrapperspb.BytesValue)
	if err := c.conn.Invoke(ctx, call.Unary, &wrapperspb.BytesValue{Value: x.Body}, answer); err != nil {
		return err
	}
	return x.Compare(answer.Value)
}

func (c *unary) Close() error { return c.conn.Close() }

func (c *streamed) Call(ctx context.Context, x *Exchange) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // frees the stream, should the call fail
	s, err := c.conn.NewStream(ctx, call.PartsDesc(), call.Parts)
	if err != nil {
		return err
	}
	if err := errors.Join(call.SendParts(s, x.Reader()), s.CloseSend()); err != nil {
		return err
	}
	return x.CompareAll(call.NewPartReader(s))
}

package hop

import (
	"bytes"
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
)

// grpcNode serves call's gRPC service.
type grpcNode struct {
	listener net.Listener
	server   *grpc.Server
	function *function
}

func newGRPC(s Setting) (server, error) {
	l, err := listen()
	if err != nil {
		return nil, err
	}
	n := &grpcNode{listener: l, function: callTo(s.To)}
	n.server = grpc.NewServer(grpc.Creds(credentials.NewTLS(s.TLS)), grpc.MaxRecvMsgSize(call.MaxMessage), grpc.MaxSendMsgSize(call.MaxMessage))
	n.server.RegisterService(call.Service(n), n)
	go func() { _ = n.server.Serve(l) }() // ends with Close
	return n, nil
}

func (n *grpcNode) Addr() string { return n.listener.Addr().String() }

func (n *grpcNode) Close() error {
	n.server.Stop()
	n.function.close()
	return nil
}

// Invoke is the unary form.
func (n *grpcNode) Invoke(ctx context.Context, in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	answer, err := n.function.call(ctx, bytes.NewReader(in.Value), int64(len(in.Value)))
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	all, err := readAll(answer)
	return &wrapperspb.BytesValue{Value: all}, err
}

// Stream is the other form: the body and the answer in parts.
func (n *grpcNode) Stream(s call.Stream) error {
	answer, err := n.function.call(s.Context(), call.NewPartReader(s), -1)
	if err != nil {
		return err
	}
	defer answer.Close()
	return call.SendParts(s, answer)
}

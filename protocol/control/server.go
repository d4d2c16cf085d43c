package control

import (
	"context"
	"errors"
	"time"

	logging "github.com/ipfs/go-log/v2"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

var log = logging.Logger("p2pfaas/control")

const (
	serviceName = "p2pfaas.control"
	// Exchanges under way at once: an answer takes up to MaxReply of memory.
	maxExchanges        = 32
	maxExchangesPerPeer = 4
)

// Server answers requests.
type Server struct {
	*streams.Service
	handlers Handlers
	gate     Gate
}

// NewServer returns a Server that is not yet open. A nil gate lets everyone in.
func NewServer(h corehost.Host, handlers Handlers, gate Gate) *Server {
	s := &Server{handlers: handlers, gate: gate}
	s.Service = streams.New(h, streams.Config{ID: ID, Service: serviceName, Max: maxExchanges, MaxPerPeer: maxExchangesPerPeer}, s.handle)
	return s
}

func (s *Server) handle(ctx context.Context, stream network.Stream) error {
	err := s.serve(ctx, stream)
	if err != nil {
		log.Debugw("control exchange failed", "peer", stream.Conn().RemotePeer(), "err", err)
	}
	return err
}

func (s *Server) serve(ctx context.Context, stream network.Stream) error {
	if err := stream.SetDeadline(time.Now().Add(Timeout)); err != nil {
		return err
	}
	var request controlpb.Request
	if err := pbio.NewDelimitedReader(stream, MaxRequest).ReadMsg(&request); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	reply := s.answer(ctx, stream.Conn().RemotePeer(), &request)
	if proto.Size(reply) > MaxReply {
		reply = refusal(CodeTooLarge, "")
	}
	return pbio.NewDelimitedWriter(stream).WriteMsg(reply)
}

// answer asks the request's handler, if the peer may.
func (s *Server) answer(ctx context.Context, from peer.ID, request *controlpb.Request) *controlpb.Reply {
	e := s.endpoint(request)
	if e.serve == nil {
		return refusal(CodeUnknownRequest, "the request is of a newer version, or this node does not serve it")
	}
	if s.denied(ctx, from, e.verb) {
		return refusal(CodeDenied, "")
	}
	reply, err := e.serve(ctx, from)
	switch {
	case err == nil:
		return reply
	case errors.Is(err, ErrNotFound):
		return refusal(CodeNotFound, "")
	case errors.Is(err, errBadRequest):
		return refusal(CodeBadRequest, err.Error())
	}
	log.Errorw("control request not answered", "request", e.name, "peer", from, "err", err)
	return refusal(CodeInternal, "")
}

// denied tells whether from may not do v.
func (s *Server) denied(ctx context.Context, from peer.ID, v host.Verb) bool {
	if s.gate == nil {
		return false
	}
	err := s.gate.Allow(ctx, from, v, "")
	if err != nil {
		log.Debugw("control request denied", "peer", from, "err", err)
	}
	return err != nil
}

func refusal(c Code, text string) *controlpb.Reply {
	return &controlpb.Reply{Code: uint32(c), Text: text}
}

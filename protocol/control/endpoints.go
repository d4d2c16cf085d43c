package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

// endpoint is one kind of request: its name, the verb it takes and what answers
// it, nil if nothing does.
type endpoint struct {
	name  string
	verb  host.Verb
	serve func(ctx context.Context, from peer.ID) (*controlpb.Reply, error)
}

// errBadRequest is wrapped around what is wrong with a request.
var errBadRequest = errors.New("bad request")

func (s *Server) endpoint(request *controlpb.Request) endpoint {
	h := &s.handlers
	switch what := request.What.(type) {
	case *controlpb.Request_Functions:
		if h.Functions != nil {
			return endpoint{"functions", host.VerbDiscover, s.functions}
		}
	case *controlpb.Request_Status:
		if h.Status != nil {
			return endpoint{"status", host.VerbDiscover, s.status}
		}
	case *controlpb.Request_Why:
		if h.Why != nil {
			return endpoint{"why", host.VerbRead, s.why(what.Why)}
		}
	case *controlpb.Request_Calls:
		if h.Calls != nil {
			return endpoint{"calls", host.VerbRead, s.calls(what.Calls)}
		}
	}
	return endpoint{}
}

func (s *Server) functions(ctx context.Context, from peer.ID) (*controlpb.Reply, error) {
	list, err := s.handlers.Functions(ctx, from)
	if err != nil {
		return nil, err
	}
	return &controlpb.Reply{What: &controlpb.Reply_Functions{Functions: list.proto()}}, nil
}

func (s *Server) status(ctx context.Context, from peer.ID) (*controlpb.Reply, error) {
	status, err := s.handlers.Status(ctx, from)
	if err != nil {
		return nil, err
	}
	return &controlpb.Reply{What: &controlpb.Reply_Status{Status: status.proto()}}, nil
}

func (s *Server) why(m *controlpb.WhyRequest) func(context.Context, peer.ID) (*controlpb.Reply, error) {
	return func(ctx context.Context, from peer.ID) (*controlpb.Reply, error) {
		q, err := parseWhyQuery(m)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBadRequest, err)
		}
		why, err := s.handlers.Why(ctx, from, q)
		if err != nil {
			return nil, err
		}
		return &controlpb.Reply{What: &controlpb.Reply_Why{Why: why.proto()}}, nil
	}
}

func (s *Server) calls(m *controlpb.CallsRequest) func(context.Context, peer.ID) (*controlpb.Reply, error) {
	return func(ctx context.Context, from peer.ID) (*controlpb.Reply, error) {
		q, err := parseCallsQuery(m)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBadRequest, err)
		}
		list, err := s.handlers.Calls(ctx, from, q)
		if err != nil {
			return nil, err
		}
		return &controlpb.Reply{What: &controlpb.Reply_Calls{Calls: &controlpb.CallsReply{Calls: protoCalls(list)}}}, nil
	}
}

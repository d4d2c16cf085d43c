package async

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
)

// errUnread is of a handler that says a body is stored that it has not read.
var errUnread = errors.New("call kept without reading its body to the end")

// keep has a call stored. Where the body has broken off there is nobody to
// answer to.
func (s *Server) keep(ctx context.Context, in *incoming, m *asyncpb.Keep) error {
	call, err := parseCall(m.GetCall())
	if err == nil {
		err = s.allow(ctx, in.from, host.VerbExecute, call.Function)
	}
	if err != nil {
		return in.reply(&asyncpb.Reply{}, err)
	}
	body := newBodyReader(in.r, call.Size)
	err = s.handlers.Keep(ctx, in.from, call, body)
	switch {
	case body.broken != nil:
		return fmt.Errorf("read body: %w", body.broken)
	case err == nil && !body.atEnd():
		err = errUnread
	}
	return in.reply(&asyncpb.Reply{}, err)
}

func (s *Server) forget(ctx context.Context, from peer.ID, m *asyncpb.Forget) error {
	id := string(m.GetCallId())
	if err := s.may(ctx, from, host.VerbExecute, id); err != nil {
		return err
	}
	return s.handlers.Forget(ctx, from, id)
}

func (s *Server) find(ctx context.Context, in *incoming, m *asyncpb.Find) error {
	id := string(m.GetCallId())
	if err := s.may(ctx, in.from, host.VerbRead, id); err != nil {
		return in.reply(&asyncpb.Reply{}, err)
	}
	status, body, err := s.handlers.Find(ctx, in.from, id, m.GetWantResult())
	if body != nil {
		defer func() { _ = body.Close() }()
	}
	switch {
	case err != nil:
		return in.reply(&asyncpb.Reply{}, err)
	case body == nil:
		return in.reply(&asyncpb.Reply{Status: status.proto()}, nil)
	}
	return in.replyWith(&asyncpb.Reply{Status: status.proto()}, body, status.ResultSize)
}

func (s *Server) cancel(ctx context.Context, from peer.ID, m *asyncpb.Cancel) (*asyncpb.Reply, error) {
	id := string(m.GetCallId())
	if err := s.may(ctx, from, host.VerbRead, id); err != nil {
		return &asyncpb.Reply{}, err
	}
	status, err := s.handlers.Cancel(ctx, from, id)
	if err == nil || errors.Is(err, ErrFinished) && status.ID != "" {
		return &asyncpb.Reply{Status: status.proto()}, err
	}
	return &asyncpb.Reply{}, err
}

func (s *Server) alive(ctx context.Context, from peer.ID, m *asyncpb.Alive) (*asyncpb.Reply, error) {
	if err := s.allow(ctx, from, host.VerbExecute, ""); err != nil {
		return &asyncpb.Reply{}, err
	}
	if len(m.GetCallIds()) > MaxIDs {
		return &asyncpb.Reply{}, bad("%d call IDs, at most %d are allowed", len(m.GetCallIds()), MaxIDs)
	}
	ids := make([]string, len(m.GetCallIds()))
	for i, id := range m.GetCallIds() {
		if ids[i] = string(id); checkID(ids[i]) != nil {
			return &asyncpb.Reply{}, checkID(ids[i])
		}
	}
	alive, err := s.handlers.Alive(ctx, from, ids)
	return &asyncpb.Reply{Alive: rawIDs(alive)}, err
}

// may checks a request about one call.
func (s *Server) may(ctx context.Context, from peer.ID, v host.Verb, id string) error {
	if err := s.allow(ctx, from, v, ""); err != nil {
		return err
	}
	return checkID(id)
}

package async

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	logging "github.com/ipfs/go-log/v2"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

var log = logging.Logger("p2pfaas/async")

const (
	serviceName = "p2pfaas.async"
	// perPeer is how many streams a Client has open to one peer. A Server lets a
	// peer have twice as many: it notices an end later than the Client.
	perPeer    = 64
	maxStreams = 512
)

// Gate says whether p may do v; an error denies it. It may wait for p to
// introduce itself, until ctx ends. *host.Access is one.
type Gate interface {
	Allow(ctx context.Context, p peer.ID, v host.Verb, function string) error
}

// Server answers requests.
type Server struct {
	*streams.Service
	handlers Handlers
	gate     Gate
}

// NewServer returns a Server that is not yet open. Find and Cancel take the verb
// read, all else execute. A nil gate lets everyone in.
func NewServer(h corehost.Host, handlers Handlers, gate Gate) *Server {
	s := &Server{handlers: handlers, gate: gate}
	s.Service = streams.New(h, streams.Config{ID: ID, Service: serviceName, Max: maxStreams, MaxPerPeer: 2 * perPeer}, s.handle)
	return s
}

func (s *Server) handle(ctx context.Context, stream network.Stream) error {
	in := newIncoming(stream)
	err := s.serve(ctx, in)
	if err != nil {
		log.Debugw("async exchange failed", "peer", in.from, "err", err)
	}
	return err
}

// serve answers one request. An error is the stream's: there is no answer, or it
// has broken off.
func (s *Server) serve(ctx context.Context, in *incoming) error {
	if err := s.allow(ctx, in.from, host.VerbRead, ""); err != nil {
		return in.reply(&asyncpb.Reply{}, err) // before it costs any memory
	}
	var request asyncpb.Request
	if err := readMessage(in.r, MaxMessage, &request); err != nil {
		return err
	}
	asked := in.paced.until
	in.paced.until = time.Time{} // bodies may take long, answers are read or stall
	if keep := request.GetKeep(); keep != nil {
		return s.keep(ctx, in, keep)
	}
	ctx, cancel := context.WithDeadline(ctx, asked)
	defer cancel()
	switch what := request.What.(type) {
	case *asyncpb.Request_Forget:
		return in.reply(&asyncpb.Reply{}, s.forget(ctx, in.from, what.Forget))
	case *asyncpb.Request_Find:
		return s.find(ctx, in, what.Find)
	case *asyncpb.Request_Cancel:
		reply, err := s.cancel(ctx, in.from, what.Cancel)
		return in.reply(reply, err)
	case *asyncpb.Request_Alive:
		reply, err := s.alive(ctx, in.from, what.Alive)
		return in.reply(reply, err)
	}
	return in.reply(&asyncpb.Reply{}, ErrUnknownRequest)
}

func (s *Server) allow(ctx context.Context, from peer.ID, v host.Verb, function string) error {
	if s.gate == nil {
		return nil
	}
	err := s.gate.Allow(ctx, from, v, function)
	if err == nil {
		return nil
	}
	log.Debugw("async request denied", "peer", from, "err", err)
	return ErrDenied
}

// incoming is one exchange, the answering side.
type incoming struct {
	from  peer.ID
	paced *paced
	r     *bufio.Reader
	w     *bufio.Writer
}

func newIncoming(stream network.Stream) *incoming {
	p := &paced{Stream: stream, until: time.Now().Add(Timeout)}
	return &incoming{from: stream.Conn().RemotePeer(), paced: p,
		r: bufio.NewReaderSize(p, bufSize), w: bufio.NewWriterSize(p, bufSize)}
}

// reply answers and logs an error that is none of the protocol's.
func (in *incoming) reply(reply *asyncpb.Reply, err error) error {
	c, text := codeOf(err)
	if c == codeInternal && !errors.Is(err, context.Canceled) {
		log.Errorw("async request not answered", "peer", in.from, "err", err)
	}
	reply.Code, reply.Text = uint32(c), text
	if err := writeMessage(in.w, MaxReply, reply); err != nil {
		return err
	}
	return in.w.Flush()
}

// replyWith is reply, and the body behind it. A body that fails is ended early: a
// reset could take the reply with it.
func (in *incoming) replyWith(reply *asyncpb.Reply, body io.Reader, size int64) error {
	reply.Body = true
	if err := writeMessage(in.w, MaxReply, reply); err != nil {
		return err
	}
	err := sendBody(in.w, body, size)
	if errors.Is(err, errBody) {
		log.Errorw("kept answer not read", "err", err)
		return in.w.Flush()
	}
	return err
}

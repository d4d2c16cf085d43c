package control

import (
	"context"
	"errors"
	"sync"
	"time"

	logging "github.com/ipfs/go-log/v2"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
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
	host     corehost.Host
	handlers Handlers
	gate     Gate

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	streams map[network.Stream]struct{}
	perPeer map[peer.ID]int
}

// NewServer returns a Server that is not yet open. A nil gate lets everyone in.
func NewServer(h corehost.Host, handlers Handlers, gate Gate) *Server {
	s := &Server{host: h, handlers: handlers, gate: gate,
		streams: make(map[network.Stream]struct{}), perPeer: make(map[peer.ID]int)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Start begins to answer.
func (s *Server) Start() { s.host.SetStreamHandler(ID, s.handle) }

// Close stops answering, resets what is under way and waits for it.
func (s *Server) Close() error {
	s.host.RemoveStreamHandler(ID)
	s.cancel()
	s.mu.Lock()
	s.closed = true
	for stream := range s.streams {
		_ = stream.Reset()
	}
	s.mu.Unlock()
	s.done.Wait()
	return nil
}

func (s *Server) handle(stream network.Stream) {
	if !s.enter(stream) {
		_ = stream.Reset()
		return
	}
	defer s.leave(stream)
	if err := s.serve(stream); err != nil {
		log.Debugw("control exchange failed", "peer", stream.Conn().RemotePeer(), "err", err)
		_ = stream.Reset()
		return
	}
	_ = stream.Close()
}

func (s *Server) serve(stream network.Stream) error {
	if err := stream.Scope().SetService(serviceName); err != nil {
		return err
	}
	if err := stream.SetDeadline(time.Now().Add(Timeout)); err != nil {
		return err
	}
	var request controlpb.Request
	if err := pbio.NewDelimitedReader(stream, MaxRequest).ReadMsg(&request); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, Timeout)
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

func (s *Server) enter(stream network.Stream) bool {
	p := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.streams) >= maxExchanges || s.perPeer[p] >= maxExchangesPerPeer {
		return false
	}
	s.perPeer[p]++
	s.streams[stream] = struct{}{}
	s.done.Add(1)
	return true
}

func (s *Server) leave(stream network.Stream) {
	defer s.done.Done()
	p := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, stream)
	if s.perPeer[p]--; s.perPeer[p] == 0 {
		delete(s.perPeer, p)
	}
}

package pull

import (
	"context"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

var log = logging.Logger("p2pfaas/pull")

// streamsPerPeer bounds the streams of one peer: a Client keeps one, and opens
// more only while it asks more than once at a time.
const streamsPerPeer = 8

// Gate says who may ask: nil lets p in. It may wait for p to introduce itself.
type Gate func(ctx context.Context, p peer.ID) error

// Server takes asks.
type Server struct {
	*streams.Service
	handle Handler
	gate   Gate
	news   load.Source
	sink   load.Sink
}

// NewServer returns a Server that is not yet open. A nil gate lets everyone in.
func NewServer(h host.Host, handle Handler, gate Gate, news load.Source, sink load.Sink) *Server {
	s := &Server{handle: handle, gate: gate, news: news, sink: sink}
	s.Service = streams.New(h, streams.Config{ID: ID, Service: "p2pfaas.pull", MaxPerPeer: streamsPerPeer}, s.serve)
	return s
}

func (s *Server) serve(ctx context.Context, stream network.Stream) error {
	p := stream.Conn().RemotePeer()
	if s.gate != nil {
		if err := s.gate(ctx, p); err != nil {
			log.Debugw("pull stream refused", "peer", p, "err", err)
			return err
		}
	}
	err := s.answer(ctx, stream, p)
	log.Debugw("pull stream ended", "peer", p, "err", err)
	return err
}

// answer goes on until the stream ends or lies idle, which is its error.
func (s *Server) answer(ctx context.Context, stream network.Stream, p peer.ID) error {
	var n load.News
	return streams.Answer(stream, IdleTime, MaxMessage, func(question []byte) ([]byte, error) {
		var a Ask
		if err := parseAsk(question, &a, &n); err != nil {
			return nil, err
		}
		s.sink.Hear(p, &n)
		if a.From == "" {
			a.From = p
		}
		answer := s.ask(ctx, p, a)
		n = load.News{Others: n.Others[:0]}
		s.news.Fill(&n)
		return frame(appendAnswer(nil, &answer, &n)), nil
	})
}

func (s *Server) ask(ctx context.Context, p peer.ID, a Ask) Answer {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	return s.handle(ctx, p, a)
}

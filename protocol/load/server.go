package load

import (
	"context"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

var log = logging.Logger("p2pfaas/load")

const (
	serviceName = "p2pfaas.load"
	// streamsPerPeer bounds the streams that one peer may keep open: a Prober
	// keeps one, and uses more only while it asks more than once at a time.
	streamsPerPeer = 8
)

// Gate says who may ask: nil lets p in. It may wait for p to introduce itself.
type Gate func(ctx context.Context, p peer.ID) error

// Server answers probes with source's news and tells sink those of the asker.
type Server struct {
	*streams.Service
	source Source
	sink   Sink
	gate   Gate
}

// NewServer returns a Server that is not yet open. A nil gate lets everyone in.
func NewServer(h host.Host, source Source, sink Sink, gate Gate) *Server {
	s := &Server{source: source, sink: sink, gate: gate}
	s.Service = streams.New(h, streams.Config{ID: ID, Service: serviceName, MaxPerPeer: streamsPerPeer}, s.handle)
	return s
}

func (s *Server) handle(ctx context.Context, stream network.Stream) error {
	p := stream.Conn().RemotePeer()
	if err := s.admit(ctx, p); err != nil {
		log.Debugw("probe stream refused", "peer", p, "err", err)
		return err
	}
	err := s.serve(stream, p)
	log.Debugw("probe stream ended", "peer", p, "err", err)
	return err
}

func (s *Server) admit(ctx context.Context, p peer.ID) error {
	if s.gate == nil {
		return nil
	}
	return s.gate(ctx, p)
}

// serve answers until the stream ends or lies idle, which is its error.
func (s *Server) serve(stream network.Stream, p peer.ID) error {
	var (
		news News
		out  framer
	)
	return streams.Answer(stream, IdleTime, MaxMessage, func(question []byte) ([]byte, error) {
		if err := ParseMessage(question, &news); err != nil {
			return nil, err
		}
		s.sink.Hear(p, &news)
		news = News{Others: news.Others[:0]}
		s.source.Fill(&news)
		return out.frame(&news), nil
	})
}

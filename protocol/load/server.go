package load

import (
	"bufio"
	"context"
	"sync"
	"time"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

var log = logging.Logger("p2pfaas/load")

const (
	serviceName = "p2pfaas.load"
	// streamsPerPeer bounds the streams that one peer may keep open: a Prober
	// keeps one, and uses more only while it asks more than once at a time.
	streamsPerPeer = 8
	// writeTime is how long an answer may take to be written.
	writeTime = 5 * time.Second
)

// Gate says who may ask: nil lets p in. It may wait for p to introduce itself.
type Gate func(ctx context.Context, p peer.ID) error

// Server answers probes with source's news and tells sink those of the asker.
type Server struct {
	host   host.Host
	source Source
	sink   Sink
	gate   Gate

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	streams map[network.Stream]struct{}
	perPeer map[peer.ID]int
}

// NewServer returns a Server that is not yet open. A nil gate lets everyone in.
func NewServer(h host.Host, source Source, sink Sink, gate Gate) *Server {
	s := &Server{host: h, source: source, sink: sink, gate: gate,
		streams: make(map[network.Stream]struct{}), perPeer: make(map[peer.ID]int)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Start begins to answer.
func (s *Server) Start() { s.host.SetStreamHandler(ID, s.handle) }

// Close stops answering, resets the open streams and waits for their handlers.
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
	p := stream.Conn().RemotePeer()
	if err := s.admit(stream, p); err != nil {
		log.Debugw("probe stream refused", "peer", p, "err", err)
		_ = stream.Reset()
		return
	}
	if err := s.serve(stream, p); err != nil {
		log.Debugw("probe stream ended", "peer", p, "err", err)
	}
	_ = stream.Reset()
}

func (s *Server) admit(stream network.Stream, p peer.ID) error {
	if err := stream.Scope().SetService(serviceName); err != nil {
		return err
	}
	if s.gate == nil {
		return nil
	}
	return s.gate(s.ctx, p)
}

// serve answers until the stream ends or lies idle.
func (s *Server) serve(stream network.Stream, p peer.ID) error {
	r := bufio.NewReaderSize(stream, 512)
	var (
		news News
		in   []byte
		out  framer
	)
	for {
		// The asker closes first, so that it does not ask on a stream that is
		// just being closed.
		if err := stream.SetReadDeadline(time.Now().Add(IdleTime * 5 / 4)); err != nil {
			return err
		}
		var err error
		if in, err = readFrame(r, in); err != nil {
			return err
		}
		if err = ParseMessage(in, &news); err != nil {
			return err
		}
		s.sink.Hear(p, &news)
		news = News{Others: news.Others[:0]}
		s.source.Fill(&news)
		if err = answer(stream, out.frame(&news)); err != nil {
			return err
		}
	}
}

func answer(stream network.Stream, frame []byte) error {
	if err := stream.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := stream.Write(frame)
	return err
}

func (s *Server) enter(stream network.Stream) bool {
	p := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.perPeer[p] >= streamsPerPeer {
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

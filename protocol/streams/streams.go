// Package streams serves the incoming streams of one protocol: it bounds how
// many there are, in all and per peer, and ends them together.
//
//	s := streams.New(h, streams.Config{ID: id, Service: "p2pfaas.x", Max: 64, MaxPerPeer: 8}, serve)
//	s.Start()
//	defer s.Close()
//
// A stream beyond the bounds is reset unread, which is no error of anybody: what
// is asked over it MUST be repeatable, or be refused by a message instead.
package streams

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Config of a Service.
type Config struct {
	ID protocol.ID
	// Service is the name under which libp2p's resource manager accounts for the
	// streams.
	Service string
	// Max bounds the streams open at once, MaxPerPeer those of one peer; 0: not.
	Max, MaxPerPeer int
}

// Serve has one stream for itself until it returns. The stream is then closed,
// or reset if there was an error, which is for Serve to log. ctx ends when the
// Service closes.
type Serve func(ctx context.Context, s network.Stream) error

// Service hands incoming streams to its Serve.
type Service struct {
	host  host.Host
	cfg   Config
	serve Serve

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	open    map[network.Stream]struct{}
	perPeer map[peer.ID]int
}

// New returns a Service that is not yet open.
func New(h host.Host, cfg Config, serve Serve) *Service {
	s := &Service{host: h, cfg: cfg, serve: serve,
		open: make(map[network.Stream]struct{}), perPeer: make(map[peer.ID]int)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Start begins to take streams.
func (s *Service) Start() { s.host.SetStreamHandler(s.cfg.ID, s.handle) }

// Close takes no more streams, resets the open ones and waits until each Serve
// has returned. It may be called more than once.
func (s *Service) Close() error {
	s.host.RemoveStreamHandler(s.cfg.ID)
	s.cancel()
	for _, stream := range s.shut() {
		_ = stream.Reset()
	}
	s.done.Wait()
	return nil
}

// shut keeps new streams out and returns those that are open.
func (s *Service) shut() []network.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	list := make([]network.Stream, 0, len(s.open))
	for stream := range s.open {
		list = append(list, stream)
	}
	return list
}

func (s *Service) handle(stream network.Stream) {
	if !s.enter(stream) {
		_ = stream.Reset()
		return
	}
	defer s.leave(stream)
	if stream.Scope().SetService(s.cfg.Service) != nil || s.serve(s.ctx, stream) != nil {
		_ = stream.Reset()
		return
	}
	_ = stream.Close()
}

func (s *Service) enter(stream network.Stream) bool {
	p := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || beyond(len(s.open), s.cfg.Max) || beyond(s.perPeer[p], s.cfg.MaxPerPeer) {
		return false
	}
	s.perPeer[p]++
	s.open[stream] = struct{}{}
	s.done.Add(1)
	return true
}

func beyond(n, most int) bool { return most > 0 && n >= most }

func (s *Service) leave(stream network.Stream) {
	defer s.done.Done()
	p := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, stream)
	if s.perPeer[p]--; s.perPeer[p] == 0 {
		delete(s.perPeer, p)
	}
}

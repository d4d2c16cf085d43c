package invoke

import (
	"sync"
	"time"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

var log = logging.Logger("p2pfaas/invoke")

// Server answers the invocations that peers send.
type Server struct {
	host    host.Host
	handler Handler
	gate    Gate
	cfg     Config
	rounds  rounds

	mu      sync.Mutex
	streams map[*inStream]struct{} // guarded by mu
	closed  bool                   // guarded by mu
	blamed  map[peer.ID]time.Time  // when a violation was last logged, guarded by mu
	running sync.WaitGroup
}

// NewServer makes a Server that hands invocations to handler if gate, unless
// it is nil, allows them.
func NewServer(h host.Host, handler Handler, gate Gate, cfg Config) *Server {
	s := &Server{
		host:    h,
		handler: handler,
		gate:    gate,
		cfg:     cfg.withDefaults(),
		streams: make(map[*inStream]struct{}),
		blamed:  make(map[peer.ID]time.Time),
	}
	s.rounds.init()
	return s
}

// Start takes streams from now on.
func (s *Server) Start() { s.host.SetStreamHandler(ID, s.serve) }

// Close takes no more streams, resets those that are there (CodeShutdown where
// an invocation runs), and waits until their handlers have returned.
func (s *Server) Close() error {
	s.host.RemoveStreamHandler(ID)
	s.mu.Lock()
	s.closed = true
	open := make([]*inStream, 0, len(s.streams))
	for st := range s.streams {
		open = append(open, st)
	}
	s.mu.Unlock()
	for _, st := range open {
		st.shutdown()
	}
	s.running.Wait()
	s.rounds.stop()
	return nil
}

// serve runs on the stream's goroutine of libp2p.
func (s *Server) serve(stream network.Stream) {
	if err := stream.Scope().SetService(ServiceName); err != nil {
		log.Debugw("stream not attached to its service", "error", err)
		_ = stream.ResetWithError(network.StreamResourceLimitExceeded)
		return
	}
	if err := stream.Scope().ReserveMemory(bufSize, network.ReservationPriorityAlways); err != nil {
		log.Debugw("no memory for a stream", "error", err)
		_ = stream.ResetWithError(network.StreamResourceLimitExceeded)
		return
	}
	st := newInStream(s, stream)
	if !s.add(st) {
		_ = stream.ResetWithError(network.StreamErrorCode(CodeDraining))
		return
	}
	st.serve()
}

func (s *Server) add(st *inStream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.streams[st] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) remove(st *inStream) {
	s.mu.Lock()
	delete(s.streams, st)
	s.mu.Unlock()
	s.running.Done()
}

const (
	blameEvery = time.Minute
	blameMax   = 1024 // peers remembered
)

// blame logs a violation, once a minute for one peer.
func (s *Server) blame(p peer.ID, err error) {
	now := time.Now()
	s.mu.Lock()
	last, known := s.blamed[p]
	quiet := known && now.Sub(last) < blameEvery
	if !quiet {
		s.forget(now)
		s.blamed[p] = now
	}
	s.mu.Unlock()
	if !quiet {
		log.Warnw("peer breaks the invoke protocol", "peer", p, "error", err)
	}
}

// forget needs mu.
func (s *Server) forget(now time.Time) {
	if len(s.blamed) < blameMax {
		return
	}
	for p, last := range s.blamed {
		if now.Sub(last) >= blameEvery {
			delete(s.blamed, p)
		}
	}
	if len(s.blamed) >= blameMax {
		clear(s.blamed)
	}
}

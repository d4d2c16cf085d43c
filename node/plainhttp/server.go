package plainhttp

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a connection that tells when its client goes away. A client that has
// ended its sending has gone: HTTP knows no other sign.
type Conn interface {
	// Watch has w interrupted, on a goroutine of its own, once the client is gone,
	// unless Unwatch comes before. There is one w at a time.
	Watch(w interface{ Interrupt() })
	// Unwatch tells whether w was not interrupted and never will be.
	Unwatch(w interface{ Interrupt() }) bool
	// Gone tells whether the client is.
	Gone() bool
}

// Server serves plain requests itself. Make one with [New].
type Server struct {
	http    *http.Server
	prefix  string
	context func(context.Context, Conn) context.Context

	gears   sync.Pool // of *gear
	outs    sync.Pool // of *outgoing
	handOff *handOff
	date    atomic.Pointer[date]
	ending  atomic.Bool    // no further request is read after those under way
	running sync.WaitGroup // goroutines of connections, and of what is beside them

	mu       sync.Mutex
	listener net.Listener
	conns    map[*conn]bool
}

// New makes a Server before h, for paths that begin with prefix. withConn, if it is
// not nil, adds to the context of a connection's requests. It takes over h's
// ConnContext; h's other settings hold for both.
func New(h *http.Server, prefix string, withConn func(context.Context, Conn) context.Context) *Server {
	if withConn == nil {
		withConn = func(ctx context.Context, _ Conn) context.Context { return ctx }
	}
	h.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return withConn(ctx, c.(*handed)) }
	return &Server{
		http: h, prefix: prefix, context: withConn, conns: make(map[*conn]bool),
		gears: sync.Pool{New: newGear}, outs: sync.Pool{New: newOutgoing},
	}
}

// Serve serves what l accepts until Shutdown or Close, which close l. It then
// returns [http.ErrServerClosed]. It may be called once.
func (s *Server) Serve(l *net.TCPListener) error {
	if !s.open(l) {
		_ = l.Close()
		return http.ErrServerClosed
	}
	base := context.WithValue(s.baseContext(l), http.ServerContextKey, s.http)
	for pause := time.Duration(0); ; {
		tcp, err := l.AcceptTCP()
		switch {
		case err == nil:
			pause = 0
			s.begin(base, tcp)
		case s.ending.Load() || errors.Is(err, net.ErrClosed):
			return http.ErrServerClosed
		default: // out of files or the like, which passes
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.logf("plainhttp: accept: %v; trying again in %v", err, pause)
			time.Sleep(pause)
		}
	}
}

func (s *Server) open(l *net.TCPListener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.Load() {
		return false
	}
	s.listener, s.handOff = l, newHandOff(l.Addr())
	s.running.Go(func() { _ = s.http.Serve(s.handOff) }) // ends with Shutdown or Close of s.http
	return true
}

func (s *Server) baseContext(l net.Listener) context.Context {
	if s.http.BaseContext != nil {
		return s.http.BaseContext(l)
	}
	return context.Background()
}

// begin serves a new connection.
func (s *Server) begin(base context.Context, tcp *net.TCPConn) {
	c, err := newConn(s, base, tcp)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.ending.Load() {
		_ = tcp.Close()
		return
	}
	s.conns[c] = true
	s.running.Go(c.serve)
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// plain tells whether s may serve anything itself: not with settings of net/http's
// that it does not know.
func (s *Server) plain(base context.Context) bool {
	h := s.http
	return base.Done() == nil && h.ReadTimeout == 0 && h.WriteTimeout == 0 && h.ConnState == nil &&
		(h.MaxHeaderBytes == 0 || h.MaxHeaderBytes >= headSize)
}

func (s *Server) handler() http.Handler {
	if s.http.Handler == nil {
		return http.DefaultServeMux
	}
	return s.http.Handler
}

// logf logs as s.http does.
func (s *Server) logf(format string, args ...any) {
	if s.http.ErrorLog != nil {
		s.http.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// date is the text of a second.
type date struct {
	second int64
	text   string
}

func (s *Server) now() string {
	now := time.Now()
	if d := s.date.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}

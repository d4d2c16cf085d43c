package mux

import (
	"context"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// backlog is how many streams may wait to be accepted. So many may be opened
// without having been acknowledged: the other side is assumed to allow as many.
const backlog = 256

// Session is one connection with its streams.
type Session struct {
	conn   net.Conn
	socket *Socket // below conn; nil: any write may wait
	cfg    Config
	span   network.ResourceScopeSpan // pays for windows

	accepting chan *Stream
	opening   chan struct{} // holds one for each opened stream that is not acknowledged
	ended     chan struct{} // closed once err is set
	drained   chan struct{} // closed once all is sent that was to be after that
	received  chan struct{} // closed when the receiving goroutine ends
	heard     atomic.Uint64 // reads that brought something

	mu      sync.Mutex // guards what follows, and all but the first fields of streams
	streams map[uint32]*Stream
	nextID  uint32
	err     error // why it has ended, for OpenStream and AcceptStream
	cause   error // why we broke the connection, if we did
	outbox
	pulse
	alone
	receiver *receiver // not guarded
}

var _ network.MuxedConn = (*Session)(nil)

// newSession starts the receiving goroutine, which ends with the connection.
func newSession(c net.Conn, client bool, cfg Config, span network.ResourceScopeSpan) *Session {
	s := &Session{
		conn: c, cfg: cfg, span: span, nextID: 2,
		accepting: make(chan *Stream, backlog), opening: make(chan struct{}, backlog),
		ended: make(chan struct{}), drained: make(chan struct{}), received: make(chan struct{}),
		streams: make(map[uint32]*Stream),
	}
	if client {
		s.nextID = 1
	}
	s.receiver = &receiver{s: s, buf: make([]byte, readSize), enough: aloneAfter}
	s.alone.back = make(chan struct{}, 1)
	if s.socket = socketOf(c); s.socket != nil {
		s.socket.beHasty()
	}
	s.startPulse()
	go s.receive()
	return s
}

// OpenStream waits, up to ctx, while too many streams have been opened that the
// other side has not accepted.
func (s *Session) OpenStream(ctx context.Context) (network.MuxedStream, error) {
	select {
	case s.opening <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ended:
		return nil, s.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.open()
	if err != nil {
		<-s.opening
		return nil, err
	}
	return st, nil
}

func (s *Session) open() (*Stream, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.nextID > math.MaxUint32-2 {
		return nil, ErrStreamsExhausted
	}
	st, err := s.newStream(s.nextID)
	if err != nil {
		return nil, err
	}
	s.nextID += 2
	st.unacked = true
	st.grantFirst(flagSYN)
	return st, nil
}

// AcceptStream waits for the other side to open one.
func (s *Session) AcceptStream() (network.MuxedStream, error) {
	select {
	case st := <-s.accepting:
		s.mu.Lock()
		defer s.mu.Unlock()
		if st.open {
			st.grantFirst(flagACK)
		}
		return st, nil
	case <-s.ended:
		return nil, s.err
	}
}

// IsClosed tells whether the session has ended, by whichever side.
func (s *Session) IsClosed() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// As finds nothing: what is below is not for others to change.
func (s *Session) As(any) bool { return false }

// Close ends all streams and the connection, without telling the other side why.
func (s *Session) Close() error { return s.CloseWithError(0) }

// flushTime is how long Close may take to send what was written before.
const flushTime = 250 * time.Millisecond

// CloseWithError does the same, and tells the other side code unless it is 0.
func (s *Session) CloseWithError(code network.ConnErrorCode) error {
	s.end(&network.ConnError{ErrorCode: code, TransportError: errClosed}, uint32(code))
	<-s.received
	<-s.drained
	return nil
}

// end takes the streams away, and then the connection, after at most flushTime
// for what is to be sent.
func (s *Session) end(err error, goAway uint32) {
	s.shut(err, goAway)
	timer := time.NewTimer(flushTime)
	defer timer.Stop()
	select {
	case <-s.drained:
	case <-timer.C:
		if s.socket != nil {
			_ = s.socket.Close() // TLS would wait to say goodbye behind what is stuck
		}
	}
	_ = s.conn.Close() // it may be broken; nothing is left to be done about it
}

func (s *Session) shut(err error, goAway uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if goAway != goAwayNormal {
		s.control(header{kind: kindGoAway, length: goAway})
	}
	s.err = err
	s.stopPulse()
	if st := s.alone.stream; st != nil {
		st.poke()
	}
	for _, st := range s.streams {
		st.lose(lost(err))
	}
	s.span.Done()
	close(s.ended)
	if !s.sending {
		close(s.drained)
	}
}

// breakOff lets the receiving goroutine read on for at most grace, and then end
// the session. It needs mu.
func (s *Session) breakOff(cause error, grace time.Duration) {
	if s.cause == nil {
		s.cause = cause
		_ = s.conn.SetDeadline(time.Now().Add(grace)) // a read may write too, as TLS does; if this fails so does the read
	}
}

package hello

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// linger is how long a refused side may take to read why.
const linger = time.Second

// Service says and hears hellos on the connections of one host.
type Service struct {
	host    host.Host
	door    Door
	silence time.Duration // Silence
	timeout time.Duration // Timeout

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	conns  map[network.Conn]*greeting
}

// greeting is how far a connection has come.
type greeting struct {
	begun bool
	alarm *time.Timer
	gone  chan struct{} // closed when the connection is
}

// New allocates a Service; Start opens it.
func New(h host.Host, door Door) *Service {
	s := &Service{host: h, door: door, silence: Silence, timeout: Timeout, conns: make(map[network.Conn]*greeting)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Start says hello on all connections from now on. Call it before the host
// listens or dials.
func (s *Service) Start() {
	s.host.SetStreamHandler(ID, s.hear)
	// One notifiee for the Door and us: a network calls several in any order, and
	// a hello may be over before the next one is called.
	s.host.Network().Notify(&network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { s.door.Connected(c); s.connected(c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { s.forget(c); s.door.Disconnected(c) },
	})
}

// Close ends all exchanges and waits for them. Connections stay open, and the
// Door hears when they close.
func (s *Service) Close() error {
	s.host.RemoveStreamHandler(ID)
	s.cancel()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		s.drop(c)
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// enter keeps Close from returning before the caller has left by s.wg.Done.
func (s *Service) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.wg.Add(1)
	}
	return !s.closed
}

func (s *Service) connected(c network.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	outbound := c.Stat().Direction == network.DirOutbound
	s.conns[c] = &greeting{
		begun: outbound,
		alarm: time.AfterFunc(s.silence, func() { s.silent(c) }),
		gone:  make(chan struct{}),
	}
	if outbound {
		s.wg.Go(func() { s.greet(c) })
	}
}

func (s *Service) forget(c network.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(c)
}

// drop needs s.mu.
func (s *Service) drop(c network.Conn) {
	if g := s.conns[c]; g != nil {
		g.alarm.Stop()
		close(g.gone)
		delete(s.conns, c)
	}
}

// gone is closed when c is; nil, which never is, if that was noted before.
func (s *Service) gone(c network.Conn) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.conns[c]; g != nil {
		return g.gone
	}
	return nil
}

// begin takes the one hello that the dialler of c may say.
func (s *Service) begin(c network.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.conns[c]
	if g == nil || g.begun {
		return false
	}
	g.begun = true
	g.alarm.Stop()
	return true
}

// silent ends a connection whose dialler says nothing.
func (s *Service) silent(c network.Conn) {
	if !s.enter() {
		return
	}
	defer s.wg.Done()
	if s.host.ConnManager().IsProtected(c.RemotePeer(), "") || !s.begin(c) {
		return
	}
	s.fail(c, fmt.Errorf("%w: %v", ErrSilent, s.silence))
}

func (s *Service) fail(c network.Conn, err error) {
	if s.ctx.Err() == nil {
		s.door.Failed(c, err)
	}
	_ = c.Close() // it is being given up: nothing is lost by an error here
}

// greet is the dialler's side.
func (s *Service) greet(c network.Conn) {
	theirs, err := s.say(c)
	if err == nil {
		if refusal := s.door.Admit(c, theirs); refusal != nil {
			err = refusal
		}
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.door.Greeted(c, theirs)
}

func (s *Service) say(c network.Conn) (*Hello, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	stream, err := c.NewStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("open hello stream: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = stream.Reset() })()
	theirs, err := exchange(stream, s.door.Own())
	if err != nil {
		_ = stream.Reset()
		return nil, err
	}
	_ = stream.Close() // all is said; a lost connection shows elsewhere
	return theirs, nil
}

// exchange sends the negotiation and the hello together: one round trip.
func exchange(stream network.Stream, own Hello) (*Hello, error) {
	if err := stream.SetProtocol(ID); err != nil {
		return nil, fmt.Errorf("open hello stream: %w", err)
	}
	rw := multistream.NewMSSelect(stream, ID)
	if err := write(rw, &message{Hello: own}); err != nil {
		return nil, err
	}
	answer, err := read(rw)
	switch {
	case notSpoken(err):
		return nil, ErrNotSpoken
	case err != nil:
		return nil, err
	case answer.code != Accepted:
		return nil, &Refusal{Code: answer.code, Text: answer.text, Remote: true}
	}
	return &answer.Hello, nil
}

// notSpoken tells the two ways in which a host refuses a protocol.
func notSpoken(err error) bool {
	var reset *network.StreamError
	return errors.Is(err, multistream.ErrNotSupported[protocol.ID]{}) ||
		errors.As(err, &reset) && reset.ErrorCode == network.StreamProtocolNegotiationFailed
}

// hear is the other side.
func (s *Service) hear(stream network.Stream) {
	if !s.enter() {
		_ = stream.Reset()
		return
	}
	defer s.wg.Done()
	defer context.AfterFunc(s.ctx, func() { _ = stream.Reset() })()
	s.answer(stream)
}

func (s *Service) answer(stream network.Stream) {
	c := stream.Conn()
	_ = stream.SetDeadline(time.Now().Add(s.timeout)) // without one, the context still ends it
	theirs, err := s.consider(stream)
	reply := message{Hello: s.door.Own()}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		reply = message{code: refusal.Code, text: printable(refusal.Text, MaxText)}
	}
	if err == nil || refusal != nil {
		if werr := write(stream, &reply); werr != nil && err == nil {
			err = werr
		}
	}
	if err != nil {
		s.hangUp(stream)
		s.fail(c, err)
		return
	}
	_ = stream.Close()
	s.door.Greeted(c, theirs)
}

// consider reads the dialler's hello; an error that it should know is a *Refusal.
func (s *Service) consider(stream network.Stream) (*Hello, error) {
	if !s.begin(stream.Conn()) {
		return nil, &Refusal{Code: Malformed, Text: "hello is said once per connection, by the dialler"}
	}
	m, err := read(stream)
	var reset *network.StreamError
	switch {
	case errors.As(err, &reset) || errors.Is(err, network.ErrReset):
		return nil, err
	case err != nil:
		return nil, &Refusal{Code: Malformed, Text: err.Error()}
	}
	if refusal := s.door.Admit(stream.Conn(), &m.Hello); refusal != nil {
		return nil, refusal
	}
	return &m.Hello, nil
}

// hangUp lets the other side read the last message before the connection goes:
// a muxer drops what it has not sent yet when it is closed, and half a stream's
// end does not say that the other half was read. A dialler that understands
// closes the connection itself.
func (s *Service) hangUp(stream network.Stream) {
	_ = stream.CloseWrite()
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case <-s.gone(stream.Conn()):
	case <-timer.C:
	case <-s.ctx.Done():
	}
	_ = stream.Reset()
}

package mux

import (
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	pool "github.com/libp2p/go-buffer-pool"

	"github.com/p2pfaas/p2pfaas/socket"
)

// maxUnsent bounds what a Socket holds: more than a session sends at once, with
// what TLS adds.
const maxUnsent = 2 * maxControl

var errUnsent = errors.New("too much is sent to a connection that takes nothing")

// Socket is a TCP connection, for below TLS, whose Write may be told not to wait:
// what the kernel does not take at once is then kept and sent by the next one that
// waits. So a goroutine may send by itself without ever being held by the peer.
// A new Socket waits.
type Socket struct {
	net.Conn
	below  *socket.Conn  // Conn
	unsent atomic.Bool   // rest is not empty
	writes atomic.Uint64 // done that might wait: the sign that something moves

	mu    sync.Mutex // orders writes: held while one waits; guards what follows
	hasty bool       // Write does not wait
	rest  []byte     // not sent yet
}

// NewSocket wraps c, or returns it as it is where that cannot be.
func NewSocket(c net.Conn) net.Conn {
	if below := socket.Of(c); below != nil {
		return &Socket{Conn: below, below: below}
	}
	return c
}

// socketOf finds the Socket of c, or below it; nil if there is none.
func socketOf(c net.Conn) *Socket {
	if over, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = over.NetConn()
	}
	s, _ := c.(*Socket)
	return s
}

// Write is called by one goroutine at a time, save for what TLS says by itself.
func (s *Socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hasty {
		if err := s.flush(); err != nil {
			return 0, err
		}
		n, err := s.Conn.Write(p)
		s.writes.Add(1)
		return n, err
	}
	n, err := s.attempt(p)
	if err != nil || n == len(p) {
		return n, err
	}
	if len(s.rest)+len(p)-n > maxUnsent {
		return n, errUnsent
	}
	if s.rest == nil {
		s.rest = pool.Get(2 * batchSize)[:0]
	}
	s.rest = append(s.rest, p[n:]...)
	s.unsent.Store(true)
	return len(p), nil
}

// attempt writes what the kernel takes at once.
func (s *Socket) attempt(p []byte) (int, error) {
	if len(s.rest) > 0 {
		return 0, nil
	}
	return s.below.TryWrite(p)
}

// clear tells whether everything written has been sent.
func (s *Socket) clear() bool { return !s.unsent.Load() }

// beHasty makes Write not wait.
func (s *Socket) beHasty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hasty = true
}

// wait makes Write wait, and sends what could not be sent without.
func (s *Socket) wait() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hasty = false
	return s.flush()
}

func (s *Socket) flush() error {
	if len(s.rest) == 0 {
		return nil
	}
	var err error
	for part := range slices.Chunk(s.rest, smallWrite) {
		if _, err = s.Conn.Write(part); err != nil {
			break
		}
		s.writes.Add(1)
	}
	pool.Put(s.rest)
	s.rest = nil
	s.unsent.Store(false)
	return err
}

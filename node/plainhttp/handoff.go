package plainhttp

import (
	"net"
	"sync"
)

// handOff is a listener that accepts the connections it is given.
type handOff struct {
	addr   net.Addr
	given  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandOff(addr net.Addr) *handOff {
	return &handOff{addr: addr, given: make(chan net.Conn), closed: make(chan struct{})}
}

// give tells whether somebody took c.
func (l *handOff) give(c net.Conn) bool {
	select {
	case l.given <- c:
		return true
	case <-l.closed:
		return false
	}
}

// Accept implements net.Listener.
func (l *handOff) Accept() (net.Conn, error) {
	select {
	case c := <-l.given:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *handOff) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *handOff) Addr() net.Addr { return l.addr }

package mux

import (
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// ID is the protocol's, for negotiation.
const ID = "/yamux/1.0.0"

// MinWindow is the window that every stream begins with, in bytes, by specification.
const MinWindow = 256 << 10

// Config of the sessions that a Multiplexer makes.
type Config struct {
	// FirstWindow is how many bytes a new stream may have under way towards us,
	// MinWindow at least; MaxWindow is what it grows to if the round trip is
	// long. Both default to MinWindow.
	FirstWindow, MaxWindow int
	// KeepAlive is after how long a silence a peer is asked whether it is there;
	// default 10 s.
	KeepAlive time.Duration
	// Timeout is how long an answer to that, or a write to the connection, may
	// take; default 10 s. It is looked at every KeepAlive/2.
	Timeout time.Duration
	// NeverYield sends each small frame at once, instead of letting the other
	// goroutines that are about to write add theirs.
	NeverYield bool
}

// Multiplexer makes sessions of connections.
type Multiplexer struct{ cfg Config }

var _ network.Multiplexer = (*Multiplexer)(nil)

// New returns a Multiplexer.
func New(cfg Config) *Multiplexer {
	cfg.FirstWindow = max(cfg.FirstWindow, MinWindow)
	cfg.MaxWindow = max(cfg.MaxWindow, cfg.FirstWindow)
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = 10 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	return &Multiplexer{cfg}
}

// NewConn begins a session, which owns c from now on. scope pays for the windows;
// nil has no bounds.
func (m *Multiplexer) NewConn(c net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	if scope == nil {
		scope = &network.NullScope{}
	}
	span, err := scope.BeginSpan()
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return newSession(c, !server, m.cfg, span), nil
}

package host

import (
	"io"
	"math"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	yamuxv5 "github.com/libp2p/go-yamux/v5"
)

const (
	// streamWindow bounds what one stream may have under way, in bytes. 4 MB
	// fill 1 Gbit/s at 32 ms of round trip.
	streamWindow      = 4 << 20
	streamWindowSmall = 1 << 20
	// maxFrame is yamux's largest frame: its header and 64 KB.
	maxFrame = 64<<10 + 12
	// keepAlive is how often an idle connection is tried; one without an answer
	// for yamuxTimeout is closed.
	keepAlive    = 10 * time.Second
	yamuxTimeout = 10 * time.Second
)

// yamuxConfig differs from the library's in window and keep-alive. As there:
// no reading buffer (TLS has one), and no limit on streams (the resource manager
// has one).
func yamuxConfig(small bool) *yamuxv5.Config {
	c := yamuxv5.DefaultConfig()
	c.MaxStreamWindowSize = streamWindow
	if small {
		c.MaxStreamWindowSize = streamWindowSmall
	}
	c.MaxMessageSize = 64 << 10
	c.EnableKeepAlive = true
	c.KeepAliveInterval = keepAlive
	c.ConnectionWriteTimeout = yamuxTimeout
	c.LogOutput = io.Discard
	c.ReadBufSize = 0
	c.MaxIncomingStreams = math.MaxUint32
	return c
}

// muxer is yamux, unchanged on the wire, over connections that gather small
// frames into one write.
type muxer struct {
	yamux   *yamux.Transport
	buffers *buffers // nil: each frame is written alone
}

var _ network.Multiplexer = (*muxer)(nil)

func newMuxer(small, gather bool) *muxer {
	m := &muxer{yamux: (*yamux.Transport)(yamuxConfig(small))}
	if gather {
		m.buffers = newBuffers()
	}
	return m
}

// NewConn is called by the upgrader once a connection is secure.
func (m *muxer) NewConn(c net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	if m.buffers != nil {
		c = gather(c, m.buffers)
	}
	mc, err := m.yamux.NewConn(c, server, scope)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return mc, nil
}

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
	// streamWindow bounds what one stream may have under way, in bytes. Yamux 5
	// loses a part of each grant by which it doubles a window, in the end half of
	// the window, and grants anew when half is used up; so the larger the first
	// window, the rarer a sender waits a round trip for the next grant.
	streamWindow      = 16 << 20
	streamWindowSmall = 4 << 20
	// openWindow is the window of a new stream on machines that are not small.
	openWindow = 1 << 20
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
	c.InitialStreamWindowSize = firstWindowOf(small)
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

func firstWindowOf(small bool) uint32 {
	if small {
		return firstWindow
	}
	return openWindow
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

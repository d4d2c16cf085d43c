package host

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"
)

// doubtTime is how long a connection in doubt may take to answer a ping.
const doubtTime = time.Second

// doubt is called when a member has one more connection, newer: it may have moved
// to another address, and the older ones be dead without anybody noticing.
func (h *Host) doubt(newer network.Conn) {
	for _, c := range h.host.Network().ConnsToPeer(newer.RemotePeer()) {
		if c != newer {
			h.try(c)
		}
	}
}

// try closes a connection that is dead: one from an address that this machine no
// longer has at once, another unless it answers a ping. It does not wait.
func (h *Host) try(c network.Conn) {
	h.wg.Go(func() {
		if !h.homeless(c) {
			ctx, cancel := context.WithTimeout(h.ctx, doubtTime)
			defer cancel()
			err := pingOn(ctx, c)
			if err == nil || c.IsClosed() || h.ctx.Err() != nil {
				return
			}
			log.Infow("connection is dead", "peer", c.RemotePeer(), "addr", c.RemoteMultiaddr(), "err", err)
		}
		_ = c.Close() // it is being given up
	})
}

// homeless tells whether our end of c is an address that this machine does not have.
func (h *Host) homeless(c network.Conn) bool {
	ip, err := manet.ToIP(c.LocalMultiaddr())
	if err != nil || ip.IsUnspecified() || ip.IsLoopback() {
		return false
	}
	return !h.interfaces.has(ip)
}

var errEcho = errors.New("another echo than was sent")

// pingOn speaks libp2p's ping on one connection: its package chooses by itself
// among those of a peer.
func pingOn(ctx context.Context, c network.Conn) error {
	s, err := c.NewStream(network.WithNoDial(ctx, "ping"))
	if err != nil {
		return err
	}
	defer s.Reset()
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	if err := s.SetProtocol(ping.ID); err != nil {
		return err
	}
	rw := multistream.NewMSSelect(s, ping.ID)
	sent, got := make([]byte, ping.PingSize), make([]byte, ping.PingSize)
	_, _ = rand.Read(sent) // never fails
	if _, err := rw.Write(sent); err != nil {
		return err
	}
	if _, err := io.ReadFull(rw, got); err != nil {
		return err
	}
	if string(got) != string(sent) {
		return errEcho
	}
	return nil
}

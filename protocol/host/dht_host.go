package host

import (
	"context"
	"fmt"

	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// membersOnly is a host that serves, and speaks with, only peers that have said
// hello. It does not dial: a member is connected.
type membersOnly struct {
	corehost.Host
	access *Access
	ctx    context.Context // ends waiting for hellos
}

// SetStreamHandler makes streams wait for their peer's hello.
func (m membersOnly) SetStreamHandler(id protocol.ID, handle network.StreamHandler) {
	m.Host.SetStreamHandler(id, func(s network.Stream) {
		if _, err := m.access.await(m.ctx, s.Conn().RemotePeer()); err != nil {
			log.Debugw("stream refused", "protocol", id, "peer", s.Conn().RemotePeer(), "err", err)
			_ = s.Reset()
			return
		}
		handle(s)
	})
}

// NewStream opens one to a member.
func (m membersOnly) NewStream(ctx context.Context, p peer.ID, ids ...protocol.ID) (network.Stream, error) {
	if err := m.Connect(ctx, peer.AddrInfo{ID: p}); err != nil {
		return nil, err
	}
	return m.Host.NewStream(network.WithNoDial(ctx, "member"), p, ids...)
}

// Connect tells whether the peer is a member.
func (m membersOnly) Connect(_ context.Context, info peer.AddrInfo) error {
	if _, ok := m.access.Member(info.ID); !ok {
		return fmt.Errorf("peer %s: %w: it is no member", info.ID, ErrDenied)
	}
	return nil
}

package host

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

// tag marks members for the connection manager, which closes others first.
const (
	tag      = "p2pfaas"
	tagValue = 10
)

// door is the Host as package hello sees it.
type door Host

var _ hello.Door = (*door)(nil)

func (d *door) Connected(c network.Conn) { d.members.connected(c) }

func (d *door) Disconnected(c network.Conn) {
	p := c.RemotePeer()
	if m := d.members.disconnected(c); m != nil {
		log.Infow("peer left", "peer", p, "role", m.Role)
		if d.directory != nil {
			d.directory.left(p)
		}
	}
	if d.host.Network().Connectedness(p) != network.Connected {
		d.dialler.lost(p)
	}
}

func (d *door) Own() hello.Hello {
	var own hello.Hello
	if d.cfg.Hello != nil {
		own = d.cfg.Hello()
	}
	own.Mesh, own.Arch, own.Role = d.cfg.Mesh, runtime.GOARCH, hello.Member
	if d.cfg.Client {
		own.Role, own.Report = hello.Client, nil
	}
	return own
}

// Admit is the open mesh's rule. A client serves nobody, so it may be connected
// to anybody.
func (d *door) Admit(c network.Conn, h *hello.Hello) *hello.Refusal {
	if h.Mesh != d.cfg.Mesh {
		return &hello.Refusal{Code: hello.WrongMesh, Text: fmt.Sprintf(
			"this is mesh %q, not %q; nodes meet only if --mesh is the same", d.cfg.Mesh, h.Mesh)}
	}
	if d.cfg.Client || isLocal(c.RemoteMultiaddr()) || d.access.operators[c.RemotePeer()] {
		return nil
	}
	return &hello.Refusal{Code: hello.Denied, Text: fmt.Sprintf(
		"mesh %q is open to private, link-local and loopback addresses only, and the connection comes from %s",
		d.cfg.Mesh, c.RemoteMultiaddr())}
}

func (d *door) Greeted(c network.Conn, h *hello.Hello) {
	p := c.RemotePeer()
	change := d.members.greeted(c, h)
	for _, old := range change.stale {
		_ = old.Close() // its other end is no more
	}
	if change.older && d.complaints.first("clone", p) {
		log.Errorw("two machines use the same identity, as after copying a disk: stop one of the two, remove identity.key from its data folder and start it again",
			"peer", p, "addr", c.RemoteMultiaddr())
	}
	if !change.joined {
		(*Host)(d).doubt(c)
		return
	}
	log.Infow("peer joined", "peer", p, "role", h.Role, "addr", c.RemoteMultiaddr(), "version", h.Version)
	d.complaints.settle(p)
	d.host.ConnManager().TagPeer(p, tag, tagValue)
	if h.Role == hello.Member {
		d.dialler.joined(p)
		(*Host)(d).acquainted(p)
	}
}

func (d *door) Failed(c network.Conn, err error) {
	p := c.RemotePeer()
	d.members.refused(c, err)
	var refusal *hello.Refusal
	_, member := d.members.get(p)
	if !member && (errors.As(err, &refusal) || errors.Is(err, hello.ErrNotSpoken)) {
		d.dialler.drop(p)
		d.book.forget(p)
	}
	if d.complaints.first("hello", p) {
		log.Warnw("peer not admitted", "peer", p, "addr", c.RemoteMultiaddr(), "err", err)
	}
}

// notReached hears of each failed dial.
func (h *Host) notReached(p peer.ID, err error) {
	var dial *swarm.DialError
	if errors.As(err, &dial) {
		for _, e := range dial.DialErrors {
			var other sec.ErrPeerIDMismatch
			if errors.As(e.Cause, &other) && other.Actual == h.ID() {
				h.cloned([]multiaddr.Multiaddr{e.Address})
			}
		}
	}
	if h.complaints.first("dial", p) {
		log.Infow("peer not reached; trying on", "peer", p, "err", err)
	}
}

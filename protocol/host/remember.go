package host

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

// keepBook writes changes of the address book every few seconds, and at the end.
func (h *Host) keepBook(ctx context.Context, identified event.Subscription) {
	defer h.saveBook()
	defer identified.Close()
	tick := time.NewTicker(bookWriteInterval)
	defer tick.Stop()
	for {
		select {
		case e := <-identified.Out():
			switch e := e.(type) {
			case event.EvtPeerIdentificationCompleted:
				h.acquainted(e.Peer)
			case event.EvtPeerIdentificationFailed:
				h.unidentified(e.Peer)
			}
		case <-tick.C:
			h.saveBook()
		case <-ctx.Done():
			return
		}
	}
}

func (h *Host) saveBook() {
	if err := h.book.save(); err != nil && h.complaints.first("book", h.ID()) {
		log.Warnw("peers are not remembered", "err", err)
	}
}

// acquainted is called when a peer has joined, and when it has told its addresses
// and protocols, in whichever order these come.
func (h *Host) acquainted(p peer.ID) {
	h.remember(p)
	if h.directory != nil {
		h.directory.met(p)
	}
}

// unidentified is called when a peer has not told its protocols in time.
func (h *Host) unidentified(p peer.ID) {
	if h.directory != nil {
		h.directory.presume(p)
	}
}

func (h *Host) remember(p peer.ID) {
	if m, ok := h.members.get(p); ok && m.Role == hello.Member {
		h.book.seen(peer.AddrInfo{ID: p, Addrs: dialable(h.host.Peerstore().Addrs(p))})
	}
}

// dialable are the addresses worth remembering, in the order of dialling them.
func dialable(addrs []multiaddr.Multiaddr) []multiaddr.Multiaddr {
	if slices.ContainsFunc(addrs, isLocal) {
		addrs = slices.DeleteFunc(slices.Clone(addrs), func(a multiaddr.Multiaddr) bool { return !isLocal(a) })
	}
	var sorted []multiaddr.Multiaddr
	for _, r := range rank(addrs) {
		sorted = append(sorted, r.Addr)
	}
	return sorted
}

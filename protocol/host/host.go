package host

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/event"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

var log = logging.Logger("p2pfaas/host")

// Host is a libp2p host that finds its mesh and knows who belongs to it.
type Host struct {
	cfg        Config
	host       corehost.Host
	blocked    *blocked
	feed       *feed
	members    *members
	access     *Access
	hello      *hello.Service
	dialler    *dialler
	book       *book
	discovery  *discovery // nil: no mDNS
	directory  *directory // nil: no DHT
	interfaces *interfaces
	complaints *complaints

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	life    sync.Mutex // lets Start and Close run one after the other
	started bool
	closed  bool
}

// New allocates a Host. It does not listen or dial before Start.
func New(cfg Config) (*Host, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	refused := &blocked{}
	lib, err := assemble(cfg, refused)
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, host: lib, blocked: refused, feed: newFeed(), complaints: newComplaints(), interfaces: newInterfaces(cfg.Interfaces)}
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.members = newMembers(h.feed)
	h.access = newAccess(h.members, cfg.Operators)
	h.hello = hello.New(lib, (*door)(h))
	h.dialler = newDialler(lib, h.crowded, h.notReached)
	if h.book, err = openBook(cfg.PeersFile); err != nil {
		log.Warnw("remembered peers cannot be read and will be replaced", "err", err)
	}
	if cfg.MDNS {
		h.discovery = newDiscovery(lib, cfg.Mesh, !cfg.Client, h.heard)
	}
	if cfg.DHT {
		h.directory = newDirectory(h)
	}
	return h, nil
}

// crowded tells whether there are as many peers as are wanted. The connection
// manager closes some beyond that, which must not be dialled again.
func (h *Host) crowded() bool {
	return len(h.host.Network().Peers()) >= h.cfg.enough() || !h.cfg.Client && h.members.nodes() >= enoughForNode
}

// Start listens, announces the host and begins to dial the peers it knows. It
// returns as soon as the host listens; ctx bounds that only.
func (h *Host) Start(ctx context.Context) error {
	h.life.Lock()
	defer h.life.Unlock()
	if h.closed || h.started {
		return errors.New("start host: it was started or closed before")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	h.started = true
	identified, err := h.host.EventBus().Subscribe([]any{new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerIdentificationFailed)})
	if err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	h.wg.Go(func() { h.keepBook(h.ctx, identified) })
	h.wg.Go(func() { h.interfaces.watch(h.ctx, h.moved) })
	go h.feed.run() // ends in Close
	if h.directory != nil {
		if err := h.directory.start(); err != nil {
			return fmt.Errorf("start host: %w", err)
		}
	}
	h.hello.Start()
	l, ok := h.host.Network().(listener)
	if !ok {
		return fmt.Errorf("start host: a network of type %T cannot listen", h.host.Network())
	}
	if err := listen(l, h.cfg); err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	h.seek()
	return nil
}

// seek begins to look for others.
func (h *Host) seek() {
	if h.discovery != nil {
		h.discovery.start()
	}
	for _, info := range h.cfg.Bootstrap {
		if info.ID == h.ID() {
			h.cloned(info.Addrs)
		}
		h.dialler.want(info, bootstrap)
	}
	for _, info := range h.book.list() {
		h.dialler.want(info, remembered)
	}
}

// Close ends all connections and goroutines and waits for them. Subscribers
// hear of all members leaving before it returns.
func (h *Host) Close() error {
	h.life.Lock()
	defer h.life.Unlock()
	if h.closed {
		return nil
	}
	h.closed = true
	if h.discovery != nil {
		h.discovery.close()
	}
	var err error
	if h.directory != nil {
		err = h.directory.close()
	}
	h.dialler.close()
	err = errors.Join(err, h.hello.Close()) // its exchanges begin what wg waits for
	h.stop()
	h.wg.Wait()
	err = errors.Join(err, h.host.Close())
	if h.started {
		h.feed.close()
	}
	return err
}

// ID is the host's peer ID.
func (h *Host) ID() peer.ID { return h.host.ID() }

// Libp2p is the host below, for stream handlers and streams.
func (h *Host) Libp2p() corehost.Host { return h.host }

// Access says what peers may do here.
func (h *Host) Access() *Access { return h.access }

// Mesh is the name of the host's mesh.
func (h *Host) Mesh() string { return h.cfg.Mesh }

// Subscribe calls fn for each member that is there now, then for each that
// comes or goes, one after another. fn should return soon, as others wait.
func (h *Host) Subscribe(fn func(Event)) (unsubscribe func()) { return h.members.subscribe(fn) }

// Addrs are the addresses on which the host listens, with /p2p/ID.
func (h *Host) Addrs() []multiaddr.Multiaddr {
	addrs, err := listenAddrs(h.host.Network())
	if err != nil {
		return nil
	}
	full, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: h.ID(), Addrs: addrs})
	if err != nil {
		return nil
	}
	return full
}

// Port is the port on which the host listens, 0 if it does not.
func (h *Host) Port() int { return portOf(h.host.Network().ListenAddresses()...) }

// Connect dials a peer and waits until it is a member, for callers that name
// one. The connection is not kept up; see Config.Bootstrap for that. The error
// of a peer that refuses wraps its *hello.Refusal.
func (h *Host) Connect(ctx context.Context, info peer.AddrInfo) (Member, error) {
	h.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.TempAddrTTL)
	clearBackoff(h.host.Network(), info.ID)
	if _, err := h.host.Network().DialPeer(ctx, info.ID); err != nil {
		return Member{}, fmt.Errorf("dial peer %s: %w", info.ID, err)
	}
	m, err := h.access.await(ctx, info.ID)
	if err != nil {
		return Member{}, fmt.Errorf("peer %s: %w", info.ID, err)
	}
	return *m, nil
}

// Advertise replaces the keys under which others find this node by Providers,
// at most 1024. They hear of it within a moment, and for up to 10 minutes after
// a key is no more. Without DHT it does nothing.
func (h *Host) Advertise(keys []string) {
	if h.directory != nil {
		h.directory.advertise(keys)
	}
}

// Providers yields the peers that advertise a key, as they are found, with the
// addresses they may have, until all were asked that may know, or ctx ends. A
// peer may have ceased to advertise it, or be gone. Nothing is cached.
func (h *Host) Providers(ctx context.Context, key string) iter.Seq[peer.AddrInfo] {
	if h.directory == nil {
		return func(func(peer.AddrInfo) bool) {}
	}
	return h.directory.providers(ctx, key)
}

// heard is told of each announcement on the local network.
func (h *Host) heard(info peer.AddrInfo) {
	if info.ID == h.ID() {
		h.cloned(info.Addrs)
		return
	}
	h.dialler.want(info, found)
}

package host

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// Member is a connected peer that has said hello rightly: a node of the mesh, or
// an SDK client (see Role).
type Member struct {
	Peer         peer.ID
	Role         hello.Role
	Version      string
	Incarnation  uint64
	Zone, Arch   string
	Capabilities []string
	// Since is when it joined, by our clock.
	Since time.Time
	// Addr is the other end of the connection by which it joined.
	Addr multiaddr.Multiaddr
}

// members are the peers that are connected, and how far their hello has come.
type members struct {
	feed *feed

	mu    sync.Mutex // guards what follows
	peers map[peer.ID]*acquaintance
	// refusals are why the last hellos of peers failed, also of those that are no
	// longer connected: a refused connection is closed before anybody asks.
	refusals map[peer.ID]error
}

// maxRefusals bounds refusals; beyond it they are forgotten.
const maxRefusals = 1024

// acquaintance is one connected peer.
type acquaintance struct {
	conns   map[network.Conn]bool // whether its hello is decided
	member  *Member
	changed chan struct{} // closed and replaced when any of this changes
}

func newMembers(f *feed) *members {
	return &members{feed: f, peers: make(map[peer.ID]*acquaintance), refusals: make(map[peer.ID]error)}
}

func (m *members) connected(c network.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.peers[c.RemotePeer()]
	if a == nil {
		a = &acquaintance{conns: make(map[network.Conn]bool), changed: make(chan struct{})}
		m.peers[c.RemotePeer()] = a
	}
	a.conns[c] = false
	a.touch()
}

// nodes counts the members that are no clients.
func (m *members) nodes() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.peers {
		if a.member != nil && a.member.Role == hello.Member {
			n++
		}
	}
	return n
}

// change is what a hello brought.
type change struct {
	joined bool           // the peer is a member since it
	older  bool           // it comes from an earlier life than the member's
	stale  []network.Conn // connections of an earlier life, to be closed
}

// greeted makes c's peer a member if it is none yet. One that comes back in a
// new life, while the loss of the old one has not shown yet, leaves and joins.
func (m *members) greeted(c network.Conn, h *hello.Hello) (ch change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.peers[c.RemotePeer()]
	if a == nil {
		return ch // gone meanwhile
	}
	if _, open := a.conns[c]; !open {
		return ch
	}
	if a.member != nil && h.Incarnation > a.member.Incarnation {
		ch.stale = a.decided()
		m.leave(a)
	}
	a.conns[c] = true
	if a.member == nil {
		m.join(a, c, h)
		ch.joined = true
	}
	ch.older = h.Incarnation < a.member.Incarnation
	a.touch()
	return ch
}

func (m *members) join(a *acquaintance, c network.Conn, h *hello.Hello) {
	delete(m.refusals, c.RemotePeer())
	a.member = &Member{
		Peer: c.RemotePeer(), Role: h.Role, Version: h.Version, Incarnation: h.Incarnation,
		Zone: h.Zone, Arch: h.Arch, Capabilities: slices.Clone(h.Capabilities),
		Since: time.Now(), Addr: c.RemoteMultiaddr(),
	}
	e := Event{Peer: c.RemotePeer(), Member: *a.member, Joined: true}
	if h.Report != nil {
		e.News = load.News{Sender: *h.Report, Has: true}
	}
	m.feed.publish(e)
}

func (m *members) leave(a *acquaintance) {
	m.feed.publish(Event{Peer: a.member.Peer, Member: *a.member})
	a.member = nil
}

// refused notes that c's hello failed.
func (m *members) refused(c network.Conn, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.peers[c.RemotePeer()]; a != nil {
		a.conns[c] = true
		a.touch()
	}
	if len(m.refusals) >= maxRefusals {
		clear(m.refusals)
	}
	m.refusals[c.RemotePeer()] = err
}

// disconnected returns the member that left with c, if one did.
func (m *members) disconnected(c network.Conn) (left *Member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.peers[c.RemotePeer()]
	if a == nil {
		return nil
	}
	delete(a.conns, c)
	if len(a.conns) == 0 {
		delete(m.peers, c.RemotePeer())
		if left = a.member; left != nil {
			m.leave(a)
		}
	}
	a.touch()
	return left
}

// get returns the member of that ID.
func (m *members) get(p peer.ID) (Member, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.peers[p]; a != nil && a.member != nil {
		return *a.member, true
	}
	return Member{}, false
}

// standing is what is known of a peer at one moment.
type standing struct {
	member  *Member
	refusal error
	pending bool            // a connection's hello is not decided yet
	changed <-chan struct{} // closed when it is no longer so
}

func (m *members) look(p peer.ID) standing {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.peers[p]
	if a == nil {
		return standing{refusal: m.refusals[p]}
	}
	return standing{member: a.member, refusal: m.refusals[p], pending: a.pending(), changed: a.changed}
}

func (m *members) subscribe(fn func(Event)) (unsubscribe func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var present []Event
	for _, p := range slices.Sorted(maps.Keys(m.peers)) {
		if a := m.peers[p]; a.member != nil {
			present = append(present, Event{Peer: p, Member: *a.member, Joined: true})
		}
	}
	return m.feed.subscribe(fn, present)
}

func (a *acquaintance) touch() {
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *acquaintance) pending() bool {
	for _, decided := range a.conns {
		if !decided {
			return true
		}
	}
	return false
}

func (a *acquaintance) decided() []network.Conn {
	var cs []network.Conn
	for c, decided := range a.conns {
		if decided {
			cs = append(cs, c)
		}
	}
	return cs
}

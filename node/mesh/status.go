package mesh

import (
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

// PeerStatus is a member as people see it. Times are in nanoseconds in JSON.
type PeerStatus struct {
	ID   peer.ID  `json:"peer"`
	Addr []string `json:"addresses"` // of the connections that there are
	// Transport is how it is reached: tcp, quic-v1, relay, or others' names; ""
	// if there is no connection.
	Transport string        `json:"transport"`
	Version   string        `json:"version"`
	Zone      string        `json:"zone,omitempty"`
	Arch      string        `json:"arch"`
	Neighbour bool          `json:"neighbour"` // in view; else known by address only
	Joined    time.Duration `json:"-"`         // ago
	RTT       time.Duration `json:"-"`         // smoothed, 0: not measured
	LeastRTT  time.Duration `json:"-"`
	// Load and its Age; Heard is how long ago the peer itself was heard, -1 if
	// never.
	Load      sched.Load    `json:"load"`
	Age       time.Duration `json:"-"`
	Heard     time.Duration `json:"-"`
	OwnSends  int           `json:"own_sends"`
	Health    float64       `json:"health"`
	Honesty   float64       `json:"honesty"`
	Paused    bool          `json:"paused"` // it failed a moment ago
	Draining  bool          `json:"draining"`
	Candidate bool          `json:"candidate"` // for what it runs
	Functions []string      `json:"functions"`
}

// Peers is all members, sorted by ID.
func (m *Mesh) Peers() []PeerStatus {
	now, limit := m.now(), m.fresh()
	m.mu.RLock()
	out := make([]PeerStatus, 0, len(m.table.members))
	for _, n := range m.table.members {
		out = append(out, n.status(now, limit))
	}
	m.mu.RUnlock()
	slices.SortFunc(out, func(a, b PeerStatus) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for i := range out {
		m.reached(&out[i])
	}
	return out
}

func (n *neighbour) status(now, limit time.Duration) PeerStatus {
	s := PeerStatus{
		ID: n.id, Version: n.member.Version, Zone: n.member.Zone, Arch: n.member.Arch,
		Neighbour: n.inView, Joined: now - n.joined, RTT: n.rtt.smoothed, LeastRTT: n.rtt.least,
		Load: n.load, Age: now - n.sampled, Heard: now - n.heard, OwnSends: n.sends.count,
		Health: n.health, Honesty: n.honesty, Paused: !n.breaker.allows(now),
		Draining: n.told.Draining, Candidate: n.inView && n.candidate(now, limit),
		Functions: make([]string, 0, len(n.functions.functions)),
	}
	if !n.known() {
		s.Age, s.Heard = 0, -1
	}
	for i := range n.functions.functions {
		s.Functions = append(s.Functions, n.functions.functions[i].id())
	}
	return s
}

// reached fills in the connections to s.
func (m *Mesh) reached(s *PeerStatus) {
	for _, c := range m.host.Network().ConnsToPeer(s.ID) {
		s.Addr = append(s.Addr, c.RemoteMultiaddr().String())
		if s.Transport == "" {
			s.Transport = transport(c.RemoteMultiaddr())
		}
	}
}

// transports by what names them in an address, the most telling first.
func transport(a multiaddr.Multiaddr) string {
	for _, t := range []struct {
		code int
		name string
	}{{multiaddr.P_CIRCUIT, "relay"}, {multiaddr.P_WEBTRANSPORT, "webtransport"}, {multiaddr.P_QUIC_V1, "quic-v1"},
		{multiaddr.P_WS, "websocket"}, {multiaddr.P_WSS, "websocket"}, {multiaddr.P_TCP, "tcp"}} {
		if _, err := a.ValueForProtocol(t.code); err == nil {
			return t.name
		}
	}
	return "other"
}

// isRelayed tells whether the way to a goes by a third node. a may be nil.
func isRelayed(a multiaddr.Multiaddr) bool { return a != nil && transport(a) == "relay" }

// Counts is how much a Mesh holds, and what it has heard, for metrics.
type Counts struct {
	Members    int
	Neighbours int // of them, in view
	Reports    load.Counts
}

// Counts counts.
func (m *Mesh) Counts() Counts {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Counts{Members: len(m.table.members), Neighbours: len(m.table.view), Reports: m.topic.Counts()}
}

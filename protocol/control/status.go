package control

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Status is how a node fares. JSON has times in seconds, as up_seconds.
type Status struct {
	Peer    peer.ID       `json:"peer"` // not on the wire: who was asked
	Version string        `json:"version"`
	Mesh    string        `json:"mesh"`
	Zone    string        `json:"zone,omitempty"`
	Arch    string        `json:"arch"`
	Policy  string        `json:"policy"`
	Up      time.Duration `json:"-"`
	Load    Busy          `json:"load"`
	// Rate is arrivals from outside, Out forwards to others, per second.
	Rate float64 `json:"rate"`
	Out  float64 `json:"out"`
	// MeshUtilisation is the busy share of all servers that it knows, 0 to 1.
	MeshUtilisation float64 `json:"mesh_utilisation"`
	// Neighbours are the members in its view, Members all that it is connected to.
	Neighbours int      `json:"neighbours"`
	Members    int      `json:"members"`
	Draining   bool     `json:"draining"`
	Functions  []string `json:"functions"` // name[.namespace], sorted
}

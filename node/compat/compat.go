// Package compat speaks P2PFaaS's language: the names of its schedulers, its
// headers, its error codes and its configuration endpoints, so that its clients
// and experiment scripts work with this mesh. No other package knows them.
//
//	dialect := compat.New(node, version, always)
//	functions.Dialect = dialect // of a gateway.Gateway: headers of /function/
//	dialect.Routes(mux, guard)  // /configuration, /monitoring/load
//
// A request is answered in this dialect if it carries a header of it, any of
// X-P2pfaas-Scheduler-…, or if the node was told to answer all that way.
package compat

import (
	"net/http"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Node is what this package shows and changes of a node.
type Node interface {
	Self() peer.ID
	Scheduling() Scheduling
	// SetScheduling's errors say what is wrong with it.
	SetScheduling(s Scheduling) error
	// Load counts what runs, what waits, and the servers.
	Load() (running, queued, servers int)
	// IP is where a node was reached, "" if unknown.
	IP(p peer.ID) string
	// Peer is the member at that IP address.
	Peer(ip string) (peer.ID, bool)
}

// Scheduling is a policy by this project's names, and the capacity.
type Scheduling struct {
	Policy  string
	Set     map[string]string
	Servers int
	Queue   int // places to wait, -1 for as many as can start in time
}

// Dialect translates. It is safe for concurrent use.
type Dialect struct {
	node    Node
	version string
	always  bool
}

// New makes a Dialect; always has it answer every request in it.
func New(node Node, version string, always bool) *Dialect {
	return &Dialect{node: node, version: version, always: always}
}

// Request headers of P2PFaaS.
const (
	prefix         = "X-P2pfaas-Scheduler-"
	headerBypass   = prefix + "Bypass"
	headerForward  = prefix + "Forward"
	headerReject   = prefix + "Reject"
	headerTracing  = prefix + "Task-Tracing-Id"
	headerTaskType = prefix + "Learning-Task-Type"
)

// Response headers of P2PFaaS's learning.
const (
	headerState  = prefix + "Learning-State"
	headerAction = prefix + "Learning-Action"
	headerEps    = prefix + "Learning-Eps"
	headerEid    = prefix + "Learning-Eid"
)

// Headers of this project that they become.
const (
	headerPolicy  = "X-P2pfaas-Policy"
	headerOurType = "X-P2pfaas-Task-Type"
)

// Request translates a request's headers in place. It tells whether the request
// is to be answered in the dialect.
func (d *Dialect) Request(h http.Header) bool {
	spoken := d.always
	for name := range h {
		spoken = spoken || strings.HasPrefix(name, prefix)
	}
	if !spoken {
		return false
	}
	for _, o := range []struct{ header, policy string }{
		{headerBypass, "local"}, {headerForward, "forward"}, {headerReject, "reject"},
	} {
		if _, ok := h[o.header]; ok {
			h.Set(headerPolicy, o.policy)
			break
		}
	}
	if t := h.Get(headerTaskType); t != "" && h.Get(headerOurType) == "" {
		h.Set(headerOurType, t)
	}
	for _, name := range []string{headerBypass, headerForward, headerReject, headerTaskType} {
		h.Del(name)
	}
	return true
}

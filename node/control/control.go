// Package control answers what people ask a node: why a call went where it did,
// which calls passed lately, how the node fares and whom it knows. One set of
// handlers serves HTTP and the protocol /p2pfaas/control/1.0.0.
//
//	h := control.New(control.Config{…})
//	h.Routes(mux, guard)                              // HTTP: /system/why/ID, …
//	protocol.NewServer(host, h.Protocol(), access)    // from peers
//
// Who may see what: HTTP is for who has the credentials, and sees all. A peer sees
// the calls that it sent, passed on or was sent; an operator all.
package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/control"
)

var log = logging.Logger("p2pfaas/control")

// Records is what the node keeps of calls.
type Records interface {
	// Find returns what is kept of the calls of that ID, oldest first.
	Find(id string) []control.Call
	// Recent returns at most that many calls that keep accepts, the latest first.
	Recent(most int, keep func(*control.Call) bool) []control.Call
}

// Asker asks other nodes; a *control.Client of package protocol/control is one.
type Asker interface {
	Why(ctx context.Context, p peer.ID, q control.WhyQuery) (control.Why, error)
	Status(ctx context.Context, p peer.ID) (control.Status, error)
}

// Config of the Handlers. All is required but Operator.
type Config struct {
	Self    peer.ID
	Records Records
	Ask     Asker
	// Status of this node; its counts of members are filled in.
	Status func() control.Status
	Peers  func() []mesh.PeerStatus
	// Functions answers the protocol's request of that name.
	Functions func(ctx context.Context, from peer.ID) (control.Functions, error)
	// Operator tells whether p may see everything; nil is nobody.
	Operator func(ctx context.Context, p peer.ID) bool
}

// Handlers answer. Make them with New; they keep no state and need no end.
type Handlers struct{ cfg Config }

// New makes Handlers.
func New(cfg Config) *Handlers {
	if cfg.Operator == nil {
		cfg.Operator = func(context.Context, peer.ID) bool { return false }
	}
	return &Handlers{cfg: cfg}
}

// Protocol is what peers may ask.
func (h *Handlers) Protocol() control.Handlers {
	return control.Handlers{
		Functions: h.cfg.Functions,
		Status:    func(context.Context, peer.ID) (control.Status, error) { return h.status(), nil },
		Why: func(ctx context.Context, from peer.ID, q control.WhyQuery) (control.Why, error) {
			return h.why(ctx, q, h.sight(ctx, from))
		},
		Calls: func(ctx context.Context, from peer.ID, q control.CallsQuery) ([]control.Call, error) {
			return h.calls(q, h.sight(ctx, from)), nil
		},
	}
}

// sight tells of a call whether somebody may see it.
type sight func(*control.Call) bool

func all(*control.Call) bool { return true }

// sight is what p may see: what it sent, passed on or was sent.
func (h *Handlers) sight(ctx context.Context, p peer.ID) sight {
	if h.cfg.Operator(ctx, p) {
		return all
	}
	return func(c *control.Call) bool {
		return c.From == p || c.Ran == p || slices.Contains(c.Hops, p) ||
			slices.ContainsFunc(c.Steps, func(s control.Step) bool { return s.Peer == p })
	}
}

func (h *Handlers) calls(q control.CallsQuery, may sight) []control.Call {
	limit := q.Limit
	if limit <= 0 {
		limit = control.DefaultCalls
	}
	return h.cfg.Records.Recent(min(limit, control.MaxCalls), func(c *control.Call) bool {
		return (q.Function == "" || q.Function == c.Function) && (q.Outcome == "" || q.Outcome == c.Outcome) && may(c)
	})
}

func (h *Handlers) status() control.Status {
	s := h.cfg.Status()
	s.Peer = h.cfg.Self
	for _, p := range h.cfg.Peers() {
		s.Members++
		if p.Neighbour {
			s.Neighbours++
		}
	}
	return s
}

// errNoPeer means that no node, or more than one, is meant by a name.
var errNoPeer = errors.New("no such peer")

// leastName is how much of a peer ID's end may stand for it, in characters.
const leastName = 6

// find returns the peer of that ID, or of an ID that ends so.
func (h *Handlers) find(name string) (peer.ID, error) {
	if id, err := peer.Decode(name); err == nil {
		return id, nil
	}
	if len(name) < leastName {
		return "", fmt.Errorf("%w: %q: want a peer ID, or the last %d characters or more of one", errNoPeer, name, leastName)
	}
	var found []peer.ID
	for _, p := range append(h.cfg.Peers(), mesh.PeerStatus{ID: h.cfg.Self}) {
		if strings.HasSuffix(p.ID.String(), name) {
			found = append(found, p.ID)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%w: %d of the peers here have an ID that ends with %q", errNoPeer, len(found), name)
	}
	return found[0], nil
}

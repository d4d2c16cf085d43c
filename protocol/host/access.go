package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

// ErrDenied: the peer may not do that here; the text says what and why.
var ErrDenied = errors.New("access denied")

// helloWait is how long Allow waits for a peer's hello.
const helloWait = 5 * time.Second

// Verb is what a peer wants to do.
type Verb uint8

const (
	// VerbDiscover: learn of functions, loads and other peers.
	VerbDiscover Verb = iota
	// VerbInvoke: have a function run for itself.
	VerbInvoke
	// VerbExecute: have a function run for somebody else, whose invocation it
	// passes on.
	VerbExecute
	// VerbPull: take over invocations that wait here.
	VerbPull
	// VerbRead: look at its own invocations.
	VerbRead
	// VerbDeploy: change functions.
	VerbDeploy
	// VerbAdmin: change the node, read logs and metrics.
	VerbAdmin
)

func (v Verb) String() string {
	names := [...]string{"discover", "invoke", "execute", "pull", "read", "deploy", "admin"}
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("verb %d", uint8(v))
}

// Access says who may do what. In the open mesh, whoever is on a private,
// link-local or loopback address is admitted when it says hello: nodes as
// members, others as SDK clients. Nobody else is, but for operators.
type Access struct {
	members   *members
	operators map[peer.ID]bool
}

func newAccess(m *members, operators []peer.ID) *Access {
	a := &Access{members: m, operators: make(map[peer.ID]bool)}
	for _, p := range operators {
		a.operators[p] = true
	}
	return a
}

// Allow returns nil if p may do v to function ("" if none is meant), else an
// error that wraps ErrDenied. It waits for p's hello until ctx ends, at most 5 s.
func (a *Access) Allow(ctx context.Context, p peer.ID, v Verb, function string) error {
	m, err := a.await(ctx, p)
	if err != nil {
		return denied(p, v, function, err.Error())
	}
	return a.decide(m, v, function)
}

// AllowInvoke is Allow for an invocation that p sends: a member passes on
// somebody's, a client sends its own.
func (a *Access) AllowInvoke(ctx context.Context, p peer.ID, function string) error {
	m, err := a.await(ctx, p)
	if err != nil {
		return denied(p, VerbInvoke, function, err.Error())
	}
	if m.Role == hello.Member {
		return a.decide(m, VerbExecute, function)
	}
	return a.decide(m, VerbInvoke, function)
}

// Member returns p if it is connected and has said hello rightly.
func (a *Access) Member(p peer.ID) (Member, bool) { return a.members.get(p) }

func (a *Access) decide(m *Member, v Verb, function string) error {
	if permitted(m.Role, a.operators[m.Peer], v) {
		return nil
	}
	if v == VerbDeploy || v == VerbAdmin {
		return denied(m.Peer, v, function, "only operators may, and it is not listed as one")
	}
	return denied(m.Peer, v, function, fmt.Sprintf("a %s of an open mesh may not", m.Role))
}

// permitted is the table of the open mesh, for peers that were admitted.
func permitted(role hello.Role, operator bool, v Verb) bool {
	if operator {
		return v <= VerbAdmin
	}
	switch v {
	case VerbInvoke, VerbRead:
		return true
	case VerbDiscover, VerbExecute, VerbPull:
		return role == hello.Member
	}
	return false
}

// await returns p once its hello is accepted.
func (a *Access) await(ctx context.Context, p peer.ID) (*Member, error) {
	s := a.members.look(p)
	if s.member != nil {
		return s.member, nil
	}
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	for ; s.member == nil; s = a.members.look(p) {
		if !s.pending {
			return nil, notAdmitted(s)
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("it has not said hello yet: %w", ctx.Err())
		}
	}
	return s.member, nil
}

func notAdmitted(s standing) error {
	if s.refusal != nil {
		return fmt.Errorf("its hello failed: %w", s.refusal)
	}
	return errors.New("it is not connected")
}

func denied(p peer.ID, v Verb, function, why string) error {
	if function != "" {
		return fmt.Errorf("%w: %s %s by %s: %s", ErrDenied, v, function, p, why)
	}
	return fmt.Errorf("%w: %s by %s: %s", ErrDenied, v, p, why)
}

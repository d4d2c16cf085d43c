// Package hello is the protocol /p2pfaas/hello/1.0.0, said once on each
// connection before anything else is served on it: which mesh, which software,
// which life of the node, and its load. The dialler speaks first, the other side
// answers with its own hello or with the reason why not.
//
// A [Service] says and hears hellos on all connections of a host. It decides
// nothing: a [Door] admits or refuses, and hears how it ended. The wire format
// is in protocol/README.md.
//
// A refused connection is closed, after the other side was told why. So is one
// whose dialler says nothing within [Silence], unless the connection manager
// protects its peer.
package hello

import (
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// ID is the protocol's ID.
const ID protocol.ID = "/p2pfaas/hello/1.0.0"

// Bounds of the protocol.
const (
	MaxSize = 4 << 10          // of one message, in bytes
	Timeout = 5 * time.Second  // for one exchange
	Silence = 10 * time.Second // a connection without a hello is closed after it
)

// Bounds of a hello's fields, in bytes (MaxCapabilities: entries).
const (
	MaxWord         = 64
	MaxCapabilities = 32
	MaxCredential   = 2 << 10
	MaxText         = 256
)

// Role is what a peer takes part as.
type Role uint8

const (
	// Member runs functions and takes invocations of others.
	Member Role = iota
	// Client only sends invocations.
	Client
)

func (r Role) String() string {
	if r == Client {
		return "client"
	}
	return "member"
}

// Hello is what one side says of itself.
type Hello struct {
	Mesh    string // 1 to 32 of a-z, 0-9 and -
	Version string // of the software, for people
	// Incarnation grows with each start of the node; it is stored, never taken
	// from a clock. 0 is unknown (clients).
	Incarnation  uint64
	Role         Role
	Capabilities []string
	Zone         string
	Arch         string // GOARCH
	// Report is the sender's load; nil from clients.
	Report *load.Report
	// Credential is for closed meshes.
	Credential []byte
}

// Code says why a hello was not accepted.
type Code uint32

const (
	// Accepted is the code of an answer that refuses nothing.
	Accepted Code = 0
	// WrongMesh: the answering side belongs to another mesh.
	WrongMesh Code = 1
	// Malformed: the hello could not be read, or was said twice.
	Malformed Code = 2
	// Denied: this mesh does not admit the peer.
	Denied Code = 3
)

func (c Code) String() string {
	switch c {
	case Accepted:
		return "accepted"
	case WrongMesh:
		return "wrong mesh"
	case Malformed:
		return "malformed hello"
	case Denied:
		return "denied"
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// Refusal is an error that one side tells the other.
type Refusal struct {
	Code Code
	Text string // for people
	// Remote: the other side refused us. Else we refused it.
	Remote bool
}

func (r *Refusal) Error() string {
	if r.Remote {
		return fmt.Sprintf("the peer refuses: %s: %s", r.Code, r.Text)
	}
	return r.Code.String() + ": " + r.Text
}

// ErrSilent: the peer said no hello in time.
var ErrSilent = errors.New("no hello in time")

// ErrNotSpoken: the peer does not know the protocol, so it is not of our kind.
var ErrNotSpoken = errors.New("the peer does not speak " + string(ID))

// Door stands between the Service and whoever keeps the list of members. Its
// methods are called concurrently for different connections, and MUST NOT block.
type Door interface {
	// Connected is called first for each connection, Disconnected when it is
	// closed. An exchange that was under way may still end with Greeted or Failed
	// after that.
	Connected(c network.Conn)
	Disconnected(c network.Conn)
	// Own is what to say on a connection.
	Own() Hello
	// Admit returns a *Refusal, told to the other side, or nil. It is called
	// with a valid hello.
	Admit(c network.Conn, h *Hello) *Refusal
	// Greeted is called once per connection at most, when both sides accepted.
	Greeted(c network.Conn, h *Hello)
	// Failed is called instead, with a *Refusal, ErrSilent, ErrNotSpoken or an
	// error of the connection, which is closed afterwards.
	Failed(c network.Conn, err error)
}

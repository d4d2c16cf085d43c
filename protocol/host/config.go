package host

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
)

// DefaultPort is where nodes listen, TCP and UDP.
const DefaultPort = 18081

// DefaultMesh is the mesh of those who name none.
const DefaultMesh = "default"

// enoughForClient is how many nodes a client keeps connections to at most.
const enoughForClient = 32

// enoughForNode is beyond how many nodes a node looks for no more: as many as it may
// have neighbours. With those that others open to it there are about twice as many in
// a large mesh, and each costs traffic and memory. SDK clients are not among them.
const enoughForNode = 64

// smallMemory is below which a machine counts as small, in bytes.
const smallMemory = 1 << 30

// Config of a Host. Begin with Default.
type Config struct {
	// Key is the host's identity, from LoadIdentity. Required.
	Key crypto.PrivKey
	// Listen are the addresses to listen on, all of which must be free. Empty
	// means ListenOn(Port), or on any other port if that one is taken: then keep
	// what Host.Port says for the next start, so that others find the host again.
	Listen []multiaddr.Multiaddr
	// Port is used if Listen is empty; default DefaultPort, -1 any free one.
	Port int
	// Mesh is 1 to 32 of a-z, 0-9 and -; default DefaultMesh. Hosts of different
	// meshes have nothing to do with each other.
	Mesh string
	// Bootstrap peers are dialled at start, and for ever until they answer.
	Bootstrap []peer.AddrInfo
	// Operators may do everything, whatever their role and address.
	Operators []peer.ID
	// MDNS announces the host on the local network and dials whom it finds there.
	MDNS bool
	// DHT takes part in the mesh's own Kademlia DHT: nodes that share one peer
	// find all others, and Advertise and Providers work. A Client asks only.
	DHT bool
	// Client makes an SDK client: it does not listen or announce itself, and
	// serves nobody.
	Client bool
	// PeersFile remembers peers from one start to the next, as JSON; "" does not.
	PeersFile string
	// Small halves what a machine with less than 1 GB of memory can do without:
	// stream windows of 1 MB instead of 4, SmallLimits.
	Small bool
	// UserAgent is told to peers, such as "p2pfaas/1.2.3".
	UserAgent string
	// Limits bound what peers can make the host hold; a zero field is its default.
	Limits Limits
	// NoGather sends each small message over TCP at once, instead of yielding first
	// so that others join it. With many invocations at once joining costs less CPU,
	// but yielding takes until the Go scheduler gets round to it: functions that
	// keep all cores of this process busy delay it.
	NoGather bool
	// Hello says what to tell others of this node; called for each connection
	// and MUST NOT block. The host sets mesh, role and architecture itself. Nil
	// is fine for clients.
	Hello func() hello.Hello
	// QUIC is what the QUIC transport is made with besides. It is for tests on a
	// simulated network.
	QUIC []quicreuse.Option
	// Interfaces are the addresses of the machine, asked every second; default
	// net.InterfaceAddrs. A test on a simulated network says which its host has.
	Interfaces func() ([]net.Addr, error)
}

// Default is the configuration of a node without any setting, but for its Key.
func Default() Config {
	return Config{
		Port:      DefaultPort,
		Mesh:      DefaultMesh,
		MDNS:      true,
		DHT:       true,
		Small:     machineMemory() < smallMemory,
		UserAgent: "p2pfaas",
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	if c.Key == nil {
		return errors.New("host config: Key is missing; LoadIdentity makes one")
	}
	if err := hello.CheckMesh(c.Mesh); err != nil {
		return fmt.Errorf("host config: %w", err)
	}
	if c.Port < -1 || c.Port > 65535 {
		return fmt.Errorf("host config: port %d: want 1 to 65535, or -1 for any", c.Port)
	}
	for _, b := range c.Bootstrap {
		if b.ID == "" || len(b.Addrs) == 0 {
			return fmt.Errorf("host config: bootstrap peer %q has no peer ID or no address; want %s", b, addrExample)
		}
	}
	return c.Limits.validate()
}

// withDefaults fills what a caller who did not begin with Default left empty.
func (c Config) withDefaults() Config {
	if c.Mesh == "" {
		c.Mesh = DefaultMesh
	}
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	if c.UserAgent == "" {
		c.UserAgent = "p2pfaas"
	}
	if c.Interfaces == nil {
		c.Interfaces = net.InterfaceAddrs
	}
	c.Limits = c.Limits.fill(c.Small)
	return c
}

// enough is how many connected peers are enough: beyond it none is dialled but by
// name. What the connection manager closes would only be dialled again, and a
// client needs a few nodes, not the mesh.
func (c *Config) enough() int {
	low, _ := c.Limits.watermarks()
	if c.Client {
		return min(low, enoughForClient)
	}
	return low
}

// ListenOn are the addresses of one port on all interfaces: TCP and QUIC, IPv4
// and IPv6. Port 0 is any free one, but not the same for TCP and QUIC.
func ListenOn(port int) []multiaddr.Multiaddr {
	p := strconv.Itoa(port)
	return []multiaddr.Multiaddr{
		multiaddr.StringCast("/ip4/0.0.0.0/tcp/" + p),
		multiaddr.StringCast("/ip4/0.0.0.0/udp/" + p + "/quic-v1"),
		multiaddr.StringCast("/ip6/::/tcp/" + p),
		multiaddr.StringCast("/ip6/::/udp/" + p + "/quic-v1"),
	}
}

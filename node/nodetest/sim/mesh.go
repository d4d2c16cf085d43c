package sim

import (
	"context"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/protocol/host"
)

const (
	defaultLatency = 3 * time.Millisecond
	// afterlife is the virtual time in which what libraries leave behind ends,
	// such as dials of 10 s: a bubble with goroutines left is a failed test.
	afterlife = 30 * time.Second
)

// Options of a Mesh; the zero value is fine.
type Options struct {
	// Latency is what a packet takes from one node to another; default 3 ms.
	Latency time.Duration
	// Config makes the last changes to a node's configuration. Before it, a node
	// has one server, no HTTP port or credentials, and the node before it as its
	// bootstrap peer.
	Config func(i int, c *node.Config)
}

// Mesh is some nodes on one simulated network. Its methods are for the test's
// goroutine, but for Call and Do, which may run concurrently.
type Mesh struct {
	t       testing.TB
	dir     string // the nodes' data folders are below it
	network *network
	members []*member
}

// member is one node with what is made up of it.
type member struct {
	*node.Node
	runtime   *faastest.Fake
	functions []string // deployed
	dead      bool
}

// NewMesh starts n nodes, each of which knows the address of the one before it;
// Settle waits until they have all met. Call it in a bubble of synctest; the
// mesh ends with the test.
func NewMesh(t testing.TB, n int, o Options) *Mesh {
	t.Helper()
	if o.Latency == 0 {
		o.Latency = defaultLatency
	}
	m := &Mesh{t: t, dir: t.TempDir(), network: newNetwork(o.Latency)}
	m.network.Start()
	t.Cleanup(m.close) // before the folder is removed
	for i := range n {
		if err := m.add(i, o); err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
	}
	return m
}

func (m *Mesh) add(i int, o Options) error {
	mb := &member{runtime: new(faastest.Fake)}
	key, err := keyOf(i)
	if err != nil {
		return err
	}
	c := m.config(i)
	if o.Config != nil {
		o.Config(i, &c)
	}
	mb.Node, err = node.NewWith(c, node.Parts{
		Runtime: mb.runtime,
		Host:    func(c *host.Config) { m.network.join(c, i, key) },
	})
	if err != nil {
		return err
	}
	m.members = append(m.members, mb)
	return mb.Start(context.Background())
}

func (m *Mesh) config(i int) node.Config {
	c := node.Default()
	c.DataDir, c.Version = filepath.Join(m.dir, strconv.Itoa(i)), "sim"
	c.HTTP, c.Auth, c.OpenFaaSURL = node.HTTPNone, node.AuthNone, node.OpenFaaSNone
	c.Listen = []string{addrOf(i)}
	c.MDNS, c.Servers = false, 1
	if i > 0 {
		c.Bootstrap = []string{addrOf(i-1) + "/p2p/" + m.ID(i-1)}
	}
	return c
}

// Node is the node number i, from 0.
func (m *Mesh) Node(i int) *node.Node { return m.members[i].Node }

// Runtime is what runs the functions of node i.
func (m *Mesh) Runtime(i int) *faastest.Fake { return m.members[i].runtime }

// ID is the peer ID of node i. It is the same in each run.
func (m *Mesh) ID(i int) string { return m.members[i].Ready().PeerID }

// Kill cuts node i off, as if its plug was pulled: no packet leaves or reaches it
// any more, and nobody is told.
func (m *Mesh) Kill(i int) {
	m.members[i].dead = true
	m.network.cut(i)
}

// close ends all nodes at the same time, then the network.
func (m *Mesh) close() {
	var all sync.WaitGroup
	for i, mb := range m.members {
		all.Go(func() {
			if err := mb.Close(); err != nil {
				m.t.Errorf("close node %d: %v", i, err)
			}
		})
	}
	all.Wait()
	m.network.Close()
	time.Sleep(afterlife)
}

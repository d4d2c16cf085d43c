package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/process"
)

// What the product's nodes of a stage share.
const (
	mesh     = "bench"
	echo     = "echo"
	patience = 30 * time.Second
)

// node is one of the product's.
type node struct {
	name string
	data string
	peer string // ID
	http string // host:port
	addr string // host:port of libp2p

	readings float64 // of its allocations so far
	reading  float64 // objects that each of these allocated; 0: not known yet
}

// label names a process.
func (p product) label(node string) string {
	if p.before {
		return "node " + node + " before"
	}
	return "node " + node
}

func (p product) program() string {
	if p.before {
		return p.Before
	}
	return p.Node
}

// nodeB runs the function: the only one that has it.
func (p product) nodeB() (Part, error) {
	function, err := p.Function()
	if err != nil {
		return Part{}, err
	}
	return p.once(p.label("B"), func() (Part, error) {
		b, err := p.launch("B")
		if err != nil {
			return Part{}, err
		}
		err = p.tool(b.node, "deploy", echo, "--image", "http://"+function.Addr)
		if err != nil {
			return Part{}, errors.Join(err, b.Stop())
		}
		return b, nil
	})
}

// nodes are both.
func (p product) nodes() (a, b Part, err error) {
	if b, err = p.nodeB(); err == nil {
		a, err = p.nodeA()
	}
	return a, b, err
}

// nodeA has no function, and knows B at an address that is as far as the stage
// says.
func (p product) nodeA() (Part, error) {
	b, err := p.nodeB()
	if err != nil {
		return Part{}, err
	}
	return p.once(p.label("A"), func() (Part, error) {
		far, err := p.away(b.node.addr)
		if err != nil {
			return Part{}, err
		}
		a, err := p.launch("A", "--bootstrap", multiaddr(far, b.node.peer))
		if err != nil {
			return Part{}, err
		}
		if err := p.meet(a.node, b.node); err != nil {
			return Part{}, errors.Join(err, a.Stop())
		}
		return a, nil
	})
}

// launch starts a node that finds nobody by itself and listens on TCP of
// loopback only, so that there is one way to it.
func (p product) launch(name string, more ...string) (Part, error) {
	label := p.label(name)
	n := &node{name: label, data: p.folder(label)}
	args := append([]string{
		"run", "--data", n.data, "--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0",
		"--mesh", mesh, "--mdns=false", "--dht=false", "--openfaas-url", "none", "--servers", strconv.Itoa(p.Servers),
		"--log-level", p.LogLevel,
	}, more...)
	child, err := process.Start(p.ctx, p.program(), args...)
	if err != nil {
		return Part{}, fmt.Errorf("%s: %w", label, err)
	}
	n.peer, n.http = child.Ready["peer"], child.Ready["http"]
	addr, _, _ := strings.Cut(child.Ready["addresses"], ",")
	if n.addr, err = hostPort(addr); err != nil {
		return Part{}, errors.Join(fmt.Errorf("%s: %w", label, err), child.Stop())
	}
	return Part{Process: child, Addr: n.http, node: n}, nil
}

// hostPort takes /ip4/HOST/tcp/PORT… apart.
func hostPort(multiaddr string) (string, error) {
	parts := strings.Split(multiaddr, "/")
	if len(parts) < 5 || parts[1] != "ip4" || parts[3] != "tcp" {
		return "", fmt.Errorf("address %q is not of TCP", multiaddr)
	}
	return parts[2] + ":" + parts[4], nil
}

func multiaddr(hostPort, peer string) string {
	host, port, _ := strings.Cut(hostPort, ":")
	return "/ip4/" + host + "/tcp/" + port + "/p2p/" + peer
}

// tool runs one of the node program's commands.
func (p product) tool(n *node, args ...string) error {
	args = append(args, "--node", "http://"+n.http, "--data", n.data)
	said, err := exec.CommandContext(p.ctx, p.program(), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("p2pfaas-node %s: %w: %s", args[0], err, said)
	}
	return nil
}

// meet waits until a call that a gets is answered by b.
func (p product) meet(a, b *node) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		err := a.reaches(ctx, b)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("node A does not reach node B: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// password is what the node's HTTP port asks for.
func (n *node) password() (string, error) {
	text, err := os.ReadFile(n.data + "/basic-auth-password")
	return strings.TrimSpace(string(text)), err
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// mesh is three node processes.
type mesh struct {
	binary string
	dir    string
	nodes  []*member
}

// member is one node process.
type member struct {
	name  string
	data  string
	cmd   *exec.Cmd
	peer  string // peer ID
	http  string // host:port
	addr  string // a multiaddr with the peer ID
	ended chan error
}

func newMesh(binary string) (*mesh, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w (build it with: make build)", err)
	}
	dir, err := os.MkdirTemp("", "p2pfaas-demo-")
	if err != nil {
		return nil, err
	}
	m := &mesh{binary: binary, dir: dir}
	for _, name := range []string{"A", "B", "C"} {
		m.nodes = append(m.nodes, &member{name: name, data: filepath.Join(dir, name)})
	}
	return m, nil
}

// start runs all nodes and waits until each sees the others.
func (m *mesh) start(ctx context.Context, out io.Writer) error {
	for _, n := range m.nodes {
		if err := m.launch(ctx, n); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
		fmt.Fprintf(out, "  %s  %s  http://%s\n", n.name, n.peer, n.http)
	}
	return m.meet(ctx)
}

// launch runs one node and reads its ready line.
func (m *mesh) launch(ctx context.Context, n *member) error {
	args := []string{
		"run", "--data", n.data, "--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0",
		"--mesh", "demo", "--mdns=false", "--openfaas-url", "none", "--servers", "2",
		"--log-level", "error",
	}
	for _, other := range m.nodes {
		if other != n && other.addr != "" {
			args = append(args, "--bootstrap", other.addr)
		}
	}
	n.cmd = exec.CommandContext(ctx, m.binary, args...)
	n.cmd.Cancel = func() error { return n.cmd.Process.Signal(syscall.SIGTERM) }
	n.cmd.WaitDelay = 10 * time.Second
	n.cmd.Stderr = os.Stderr
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("it ended before it was ready: %w", errors.Join(err, n.cmd.Wait()))
	}
	n.ended = make(chan error, 1)
	go func() { n.ended <- n.cmd.Wait() }() // ends with the process
	return n.readReady(line)
}

// readReady takes the node's "ready key=value …" line apart.
func (n *member) readReady(line string) error {
	for _, field := range strings.Fields(line) {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "peer":
			n.peer = value
		case "http":
			n.http = value
		case "addresses":
			n.addr, _, _ = strings.Cut(value, ",")
		}
	}
	if n.peer == "" || n.http == "" || n.addr == "" {
		return fmt.Errorf("unexpected ready line %q", line)
	}
	return nil
}

// meet waits until every node sees all the others.
func (m *mesh) meet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, n := range m.nodes {
		for {
			peers, err := n.peers(ctx)
			if err != nil {
				return err
			}
			if len(peers) == len(m.nodes)-1 {
				break
			}
			if err := sleep(ctx, 50*time.Millisecond); err != nil {
				return fmt.Errorf("node %s sees %d other nodes: %w", n.name, len(peers), err)
			}
		}
	}
	return nil
}

func (n *member) stop() error {
	if n.ended == nil {
		return nil
	}
	_ = n.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	err := <-n.ended
	n.ended = nil
	if err != nil && n.cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		return nil // interrupted together with us
	}
	return err
}

func (m *mesh) close() error {
	var err error
	for _, n := range m.nodes {
		err = errors.Join(err, n.stop())
	}
	return errors.Join(err, os.RemoveAll(m.dir))
}

// tool runs one of the program's commands against a node.
func (m *mesh) tool(ctx context.Context, n *member, args ...string) error {
	args = append(args, "--node", "http://"+n.http, "--data", n.data)
	said, err := exec.CommandContext(ctx, m.binary, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("p2pfaas-node %s: %w: %s", args[0], err, said)
	}
	return nil
}

// peers asks a node whom it sees.
func (n *member) peers(ctx context.Context) ([]json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.http+"/system/peers", nil)
	if err != nil {
		return nil, err
	}
	password, err := os.ReadFile(filepath.Join(n.data, "basic-auth-password"))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("admin", strings.TrimSpace(string(password)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var peers []json.RawMessage
	return peers, json.NewDecoder(resp.Body).Decode(&peers)
}

func (m *mesh) name(peerID string) string {
	for _, n := range m.nodes {
		if n.peer == peerID {
			return n.name
		}
	}
	return "?"
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

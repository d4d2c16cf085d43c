// Package e2e tests the program from outside: real processes, real sockets,
// real network namespaces, real kills.
package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// program is the p2pfaas-node that TestMain built; nothing writes it later.
var program string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "p2pfaas-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // functions run as another user
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	program = filepath.Join(dir, "p2pfaas-node")
	if err := build(program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(path string, flags ...string) error {
	args := append([]string{"build", "-o", path}, flags...)
	out, err := exec.Command("go", append(args, "github.com/p2pfaas/p2pfaas/cmd/p2pfaas-node")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// transports are the --listen addresses by which nodes on loopback can meet.
var transports = map[string]string{
	"tcp":  "/ip4/127.0.0.1/tcp/0",
	"quic": "/ip4/127.0.0.1/udp/0/quic-v1",
}

// node starts a node on loopback that knows nobody but those given.
func node(t testing.TB, transport string, know []*nodetest.Process, flags ...string) *nodetest.Process {
	t.Helper()
	args := []string{"--http", "127.0.0.1:0", "--listen", transports[transport], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e"}
	for _, p := range know {
		args = append(args, "--bootstrap", p.Addrs[0])
	}
	return nodetest.Start(t, nodetest.Spec{Program: program, Flags: append(args, flags...)})
}

// pair is two nodes, A and B, that see each other.
func pair(t testing.TB, transport string, flagsB ...string) (a, b *nodetest.Process) {
	t.Helper()
	b = node(t, transport, nil, flagsB...)
	a = node(t, transport, []*nodetest.Process{b})
	sees(t, a, b)
	sees(t, b, a)
	return a, b
}

// listed is what /system/peers says of one.
type listed struct {
	ID        string   `json:"peer"`
	Functions []string `json:"functions"`

	Draining  bool    `json:"draining"`
	Candidate bool    `json:"candidate"`
	Age       float64 `json:"age_seconds"`
}

// sees waits until a lists b.
func sees(t testing.TB, a, b *nodetest.Process) {
	t.Helper()
	lists(t, "one node sees the other", a, func(p listed) bool { return p.ID == b.Peer })
}

// knows waits until a knows that b runs the function.
func knows(t testing.TB, a, b *nodetest.Process, function string) {
	t.Helper()
	lists(t, "one node knows the other's function", a, func(p listed) bool {
		return p.ID == b.Peer && slices.Contains(p.Functions, function)
	})
}

func lists(t testing.TB, what string, a *nodetest.Process, is func(listed) bool) {
	t.Helper()
	nodetest.Eventually(t, what, func() error {
		var peers []listed
		if err := a.Get("/system/peers", &peers); err != nil {
			return err
		}
		if !slices.ContainsFunc(peers, is) {
			return fmt.Errorf("it lists %v", peers)
		}
		return nil
	})
}

// tool runs a command of the program against a node.
func tool(t testing.TB, p *nodetest.Process, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, append(args, "--node", "http://"+p.HTTP, "--data", p.Data)...).CombinedOutput()
	if err != nil {
		t.Fatalf("p2pfaas-node %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// deploy deploys a function on one node and waits until it answers through
// each of those given.
func deploy(t testing.TB, on *nodetest.Process, name, image string, through []*nodetest.Process, flags ...string) {
	t.Helper()
	tool(t, on, append([]string{"deploy", name, "--image", image}, flags...)...)
	for _, p := range through {
		nodetest.Eventually(t, "function "+name+" answers", func() error {
			resp, err := http.Get("http://" + p.HTTP + "/function/" + name + "/_/health")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if body, _ := io.ReadAll(resp.Body); resp.Header.Get("X-P2pfaas-Peer") == "" || resp.Header.Get("X-P2pfaas-Outcome") != "" {
				return fmt.Errorf("status %d: %s", resp.StatusCode, body)
			}
			return nil
		})
	}
}

// counters is what a built-in function tells of itself.
type counters struct {
	Started   int `json:"started"`
	Finished  int `json:"finished"`
	Cancelled int `json:"cancelled"`
	InFlight  int `json:"in_flight"`
}

func count(t testing.TB, p *nodetest.Process, function string) (c counters) {
	t.Helper()
	if err := p.Get("/function/"+function+"/_/counters", &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func url(p *nodetest.Process, function string) string {
	return "http://" + p.HTTP + "/function/" + function
}

func post(t testing.TB, url string, body []byte, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// serve runs an HTTP server on loopback until the test ends, and tells where.
func serve(t testing.TB, s *http.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = s.Close() })
	return listener.Addr().String()
}

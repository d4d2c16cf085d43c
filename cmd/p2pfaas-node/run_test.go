package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary serve built-in functions, since the node under
// test starts its own program for them.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "builtin" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// patience bounds each wait; it is long for machines that do much else.
const patience = 60 * time.Second

// startNode runs a node in this process and returns what its ready line says.
// stop is the signal to end, and returns the exit code.
func startNode(t *testing.T, data string, flags ...string) (ready map[string]string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	code := make(chan int, 1)
	args := append([]string{"run", "--data", data, "--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--log-level", "error"}, flags...)
	go func() { // ends after stop
		code <- run(ctx, args, nil, stdout, os.Stderr)
		stdout.Close()
	}()
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		cancel()
		t.Fatalf("no ready line: %v, exit code %d", err, <-code)
	}
	ready = map[string]string{}
	for _, field := range strings.Fields(line) {
		key, value, _ := strings.Cut(field, "=")
		ready[key] = value
	}
	return ready, func() int {
		cancel()
		if rest, _ := io.ReadAll(lines); len(rest) > 0 {
			t.Errorf("more than one line on standard output: %q", rest)
		}
		return <-code
	}
}

// TestNode runs a real node and talks to it with the tools, over HTTP and over
// libp2p, before and after a restart.
func TestNode(t *testing.T) {
	cleanEnviron(t)
	data := t.TempDir()
	ready, stop := startNode(t, data)
	for _, key := range []string{"peer", "mesh", "runtime", "http", "addresses"} {
		if ready[key] == "" {
			t.Errorf("ready line without %s: %v", key, ready)
		}
	}
	node := []string{"--node", "http://" + strings.TrimPrefix(ready["http"], "http://")}
	credentials := []string{node[0], node[1], "--data", data}
	peer, _, _ := strings.Cut(ready["addresses"], ",")

	got := program(t, nil, append([]string{"deploy", "hello", "--image", "builtin:hello"}, credentials...)...)
	if got.code != exitOK {
		t.Fatalf("deploy: %+v", got)
	}
	if got := program(t, nil, append([]string{"id"}, credentials...)...); !strings.HasPrefix(got.stdout, ready["peer"]+"\n/ip4/127.0.0.1/tcp/") {
		t.Errorf("id of a running node: %+v", got)
	}
	overHTTP := program(t, nil, append([]string{"invoke", "hello", "--deadline", patience.String()}, node...)...)
	if overHTTP.code != exitOK || overHTTP.stdout == "" {
		t.Errorf("invoke over HTTP: %+v", overHTTP)
	}
	overLibp2p := program(t, nil, "invoke", "hello", "--deadline", patience.String(), "--peer", peer)
	if overLibp2p.code != exitOK || overLibp2p.stdout != overHTTP.stdout {
		t.Errorf("invoke over libp2p: %+v, over HTTP: %+v", overLibp2p, overHTTP)
	}
	parts := strings.Split(peer, "/") // as /ip4/127.0.0.1/tcp/18081/p2p/ID
	if got := program(t, nil, "functions", "--node", parts[2]+":"+parts[4], "--data", data); !strings.Contains(got.stderr, "that is a libp2p port") {
		t.Errorf("functions at the libp2p port: %+v", got)
	}
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d after the signal", code)
	}
	if got := program(t, nil, "id", "--data", data, "--node", "http://127.0.0.1:1"); got.stdout != ready["peer"]+"\n" {
		t.Errorf("id of a stopped node: %+v", got)
	}
}

func TestNodeDoesNotStart(t *testing.T) {
	cleanEnviron(t)
	cases := []struct{ flags, want string }{
		{"--policy nonsense", "spread"},
		{"--policy spread --set nonsense=1", "nonsense"},
		{"--http 192.0.2.1:18080", "--http"},
	}
	for _, c := range cases {
		args := append([]string{"run", "--data", t.TempDir(), "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false"}, strings.Fields(c.flags)...)
		got := program(t, nil, args...)
		if got.code == exitOK || !strings.Contains(got.stderr, c.want) || got.stdout != "" {
			t.Errorf("%s: %+v, want %q", c.flags, got, c.want)
		}
	}
}

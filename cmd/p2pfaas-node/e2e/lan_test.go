//go:build linux

package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

// starts is how often two nodes are started to find each other; more gives a
// better picture of how long it takes.
var starts = flag.Int("starts", 3, "how often nodes are started to find each other")

// lanNode runs a node on a machine of a network with no flag but --data.
func lanNode(t *testing.T, prog string, m *lan.Machine, env []string, flags ...string) *nodetest.Process {
	t.Helper()
	return nodetest.Start(t, nodetest.Spec{Program: prog, In: m, Env: env, Flags: flags})
}

func TestTwoMachinesFindEachOther(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN)
	net := nodetest.NewNetwork(t)
	one, two := net.Machine(), net.Machine()
	var took []time.Duration
	for range *starts {
		a, b := lanNode(t, program, one, nil), lanNode(t, program, two, nil)
		began := time.Now()
		sees(t, a, b)
		sees(t, b, a)
		took = append(took, time.Since(began))
		a.Kill()
		b.Kill()
	}
	slices.Sort(took)
	t.Logf("both saw each other after (from the second's readiness): median %v, p95 %v, max %v of %d", took[len(took)/2], took[len(took)*95/100], took[len(took)-1], len(took))
}

func TestCurlToEitherMachine(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN, nodetest.Curl)
	net := nodetest.NewNetwork(t)
	a, b := lanNode(t, program, net.Machine(), nil), lanNode(t, program, net.Machine(), nil)
	sees(t, a, b)
	worksThroughBoth(t, net, a, b)
}

func TestWithoutMDNSOneBootstrapIsEnough(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN, nodetest.Curl)
	net := nodetest.NewNetwork(t)
	first, second := net.Machine(), net.Machine()
	a := lanNode(t, program, first, nil, "--mdns=false")
	address := slices.IndexFunc(a.Addrs, func(s string) bool { return strings.Contains(s, first.IP()+"/tcp") })
	if address < 0 {
		t.Fatalf("no TCP address of %s among %v", first.IP(), a.Addrs)
	}
	b := lanNode(t, program, second, nil, "--mdns=false", "--bootstrap", a.Addrs[address])
	sees(t, a, b)
	worksThroughBoth(t, net, a, b)
}

// worksThroughBoth deploys a function on B only and calls it by curl from each machine.
func worksThroughBoth(t *testing.T, net *nodetest.Network, a, b *nodetest.Process) {
	t.Helper()
	machines := net.Machines()
	deployIn(t, machines[1], b)
	for i, p := range []*nodetest.Process{a, b} {
		nodetest.Eventually(t, "curl to machine "+machines[i].IP(), func() error {
			return expectEcho(machines[i].Command("curl", "-sS", "-f", "-d", "hello", "http://127.0.0.1:18080/function/echo"))
		})
		_ = p
	}
}

func deployIn(t *testing.T, m *lan.Machine, p *nodetest.Process) {
	t.Helper()
	out, err := m.Command(program, "deploy", "echo", "--image", "builtin:echo", "--data", p.Data).CombinedOutput()
	if err != nil {
		t.Fatalf("deploy: %v\n%s", err, out)
	}
}

func expectEcho(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil && string(out) != "hello" {
		err = exec.ErrNotFound
	}
	if err != nil {
		return &curlError{out, err}
	}
	return nil
}

type curlError struct {
	said []byte
	err  error
}

func (e *curlError) Error() string { return e.err.Error() + ": " + string(e.said) }

// Machines without a battery-backed clock wake up in another year. The program
// is built with a standard library whose clock can be set off, so that two
// processes on one machine live a day apart.
func TestClocksADayApart(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN, nodetest.Curl)
	skewed := filepath.Join(filepath.Dir(program), "p2pfaas-node-skewed")
	overlay := clockOverlay(t)
	if err := build(skewed, "-overlay", overlay); err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"/ip4/0.0.0.0/tcp/18081", "/ip4/0.0.0.0/udp/18081/quic-v1"} {
		for _, offset := range []string{"24h", "-24h"} {
			t.Run(strings.ReplaceAll(transport, "/", "_")+offset, func(t *testing.T) {
				net := nodetest.NewNetwork(t)
				a := lanNode(t, skewed, net.Machine(), []string{"TEST_CLOCK_OFFSET=" + offset}, "--listen", transport)
				b := lanNode(t, skewed, net.Machine(), nil, "--listen", transport)
				if apart := clock(t, a).Sub(clock(t, b)).Abs(); apart < 23*time.Hour {
					t.Fatalf("the clocks are %v apart: this tests nothing", apart)
				}
				sees(t, a, b)
				sees(t, b, a)
				worksThroughBoth(t, net, a, b)
			})
		}
	}
}

// clock is what the node takes for the time of day.
func clock(t *testing.T, p *nodetest.Process) time.Time {
	t.Helper()
	header, err := p.Header("/function/none")
	if err != nil {
		t.Fatal(err)
	}
	ns, err := strconv.ParseInt(header.Get("X-Start-Time"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, ns)
}

// clockOverlay is a go build overlay that replaces time.Now by one that adds
// TEST_CLOCK_OFFSET.
func clockOverlay(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const call = "sec, nsec, mono := runtimeNow()"
	if strings.Count(string(source), call) == 0 {
		t.Fatalf("%s has no %q: adapt this test to the standard library", original, call)
	}
	patched := strings.ReplaceAll(string(source), call, call+"\n\tsec += testClockOffset")
	patched += `
var testClockOffset = func() int64 {
	s, _ := syscall.Getenv("TEST_CLOCK_OFFSET")
	d, _ := ParseDuration(s)
	return int64(d / Second)
}()
`
	patched = strings.Replace(patched, "import (", "import (\n\t\"syscall\"", 1)
	dir := t.TempDir()
	replacement := filepath.Join(dir, "time.go")
	if err := os.WriteFile(replacement, []byte(patched), 0o644); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	text := `{"Replace": {"` + original + `": "` + replacement + `"}}`
	if err := os.WriteFile(overlay, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return overlay
}

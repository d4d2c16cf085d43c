//go:build cost

package mesh

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What knowing each other costs is measured, not asserted: build with the tag
// cost, and run in a network namespace whose loopback nobody else uses.
// ARCHITECTURE.md says how.
var (
	costNodes = flag.Int("cost", 10, "measure the load information of so many idle nodes in this process")
	costTime  = flag.Duration("cost-time", time.Minute, "how long to measure, after half of that for the nodes to settle")
)

func TestIdleCost(t *testing.T) {
	nodes := []*node{newNode(t, 0)}
	began := time.Now()
	for len(nodes) < *costNodes {
		nodes = append(nodes, newNode(t, 0, nodes[0]))
	}
	for i, n := range nodes {
		n.deploy(fn("everywhere", 1), fn(fmt.Sprint("only", i), 1))
	}
	for _, n := range nodes {
		eventually(t, "all are members", func() bool { return n.members() == len(nodes)-1 })
	}
	t.Logf("%d nodes, of which %d bootstrap from one, all see all after %v", len(nodes), len(nodes)-1, time.Since(began))
	time.Sleep(*costTime / 2)
	cpu, bytes := usedCPU(t), loopback(t)
	time.Sleep(*costTime)
	seconds, n := costTime.Seconds(), float64(len(nodes))
	t.Logf("each of %d idle nodes: %.2f %% of a core, %.1f kB/s sent and received", len(nodes),
		100*(usedCPU(t)-cpu).Seconds()/seconds/n, 2*float64(loopback(t)-bytes)/1000/seconds/n)
}

func usedCPU(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loopback is how many bytes were sent on this namespace's loopback, headers of
// IP and TCP included.
func loopback(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "lo:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no loopback")
	return 0
}

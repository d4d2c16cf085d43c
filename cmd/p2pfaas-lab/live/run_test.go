package live

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// leftNothing fails if a process or a file of a run is still there.
func leftNothing(t *testing.T, dir string) {
	t.Helper()
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		if text, _ := os.ReadFile(path); strings.Contains(string(text), dir) {
			t.Errorf("%s is still there: %q", path, text)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is still there: %v", left, err)
	}
}

// live runs a scenario.
func live(t *testing.T, sc *sim.Scenario, policy string, lan bool) *Report {
	t.Helper()
	dir := t.TempDir()
	r, err := Run(t.Context(), Config{Program: program, Scenario: sc, Policy: policy, LAN: lan, Sample: time.Second, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	leftNothing(t, dir)
	t.Logf("%d requests, %.3f in time, %.3f forwarded, mean %.0f ms, %.3f late by up to %v, %.2f cores",
		r.Requests, r.InDeadline, r.Forwarded, 1000*r.Mean, r.Late, r.Latest, r.CPU)
	return r
}

// arrived is how many arrivals count.
func arrived(t *testing.T, sc *sim.Scenario) (n int) {
	t.Helper()
	arrivals, err := sim.Arrivals(sc, 0)
	if err != nil {
		t.Fatal(err)
	}
	for a := range arrivals {
		if a.At >= sc.Warmup {
			n++
		}
	}
	return n
}

// TestThreeNodes: one gets more than it can serve, and the others do it.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	sc := scenarioOf(3)
	sc.Nodes[0].Rate = []float64{50, 1, 1}
	r := live(t, sc, "spread", false)
	if want := arrived(t, sc); r.Requests != want {
		t.Errorf("%d requests, want %d", r.Requests, want)
	}
	if sum := r.Served + r.Refused + r.Expired + r.Lost; sum < 0.999 || sum > 1.001 {
		t.Errorf("the shares add up to %v", sum)
	}
	if r.Served < 0.8 || r.Lost > 0 || r.Forwarded == 0 || r.Hops == 0 {
		t.Errorf("%+v", r.Result)
	}
	if r.Mean < 0.015 || r.Utilisation <= 0.1 || r.Gossip == 0 || r.CPU == 0 || r.PerNode[1].Received == 0 {
		t.Errorf("%+v", r.Result)
	}
	if r.Scenario != "few" || r.Policy != "spread" || r.Nodes != 3 || r.Seed != 1 || len(r.Samples) != 4 {
		t.Errorf("%+v", r.Result)
	}
}

// TestEvents: a node is killed and comes back, another slows down.
func TestEvents(t *testing.T) {
	t.Parallel()
	sc := scenarioOf(2)
	sc.Duration, sc.Warmup, sc.Classes[0].Distribution = 6*time.Second, 0, sim.Fixed
	sc.Events = []sim.Event{
		{At: 1500 * time.Millisecond, Nodes: []int{0}, Kill: true},
		{At: 3 * time.Second, Nodes: []int{0}, Restart: true},
		{At: 3 * time.Second, Nodes: []int{1}, Speed: 0.5},
	}
	r := live(t, sc, "local", false)
	if dead := &r.PerNode[0]; r.Lost == 0 || dead.Served == 0 || dead.Served >= dead.Requests*9/10 {
		t.Errorf("of the killed node's %d requests %d were served, %.2f of all lost", dead.Requests, dead.Served, r.Lost)
	}
	if r.P95 < 0.06 {
		t.Errorf("the slow node did not slow down: 95 %% took less than %v s", r.P95)
	}
	if r.PerNode[1].Served < r.PerNode[1].Requests*9/10 {
		t.Errorf("of the slow node's %d requests %d were served", r.PerNode[1].Requests, r.PerNode[1].Served)
	}
}

// TestMachines: with a network of their own nodes are as far apart as the scenario
// says.
func TestMachines(t *testing.T) {
	t.Parallel()
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN)
	sc := scenarioOf(1)
	sc.Network = sim.Network{Delay: time.Millisecond, ZoneDelay: 60 * time.Millisecond}
	sc.Nodes = append(sc.Nodes, sc.Nodes[0])
	sc.Nodes[0].Zone, sc.Nodes[1].Zone = "a", "b"
	r := live(t, sc, "forward", true)
	if r.Served < 0.9 || r.Forwarded < 0.9 || r.Mean < 0.12 {
		t.Errorf("%.2f served, %.2f forwarded over 2 × 60 ms in %v s", r.Served, r.Forwarded, r.Mean)
	}
}

// TestMistake: what the node says of its configuration is told.
func TestMistake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Run(t.Context(), Config{Program: program, Scenario: scenarioOf(1), Policy: "nobody", Dir: dir})
	if err == nil || !strings.Contains(err.Error(), `unknown policy "nobody"`) {
		t.Errorf("error %v", err)
	}
	leftNothing(t, dir)
}

// TestStopped: whoever stops a run waits for the end of its nodes only.
func TestStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("a signal")
	time.AfterFunc(2*time.Second, func() { cancel(stopped) })
	sc := scenarioOf(2)
	sc.Duration = time.Hour
	if _, err := Run(ctx, Config{Program: program, Scenario: sc, Policy: "local", Dir: dir}); !errors.Is(err, stopped) {
		t.Errorf("error %v", err)
	}
	leftNothing(t, dir)
}

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// scenarioFile is a small one, whose function is called work.
const scenarioFile = "../../p2pfaas-lab/testdata/tiny.toml"

// laboratory builds p2pfaas-lab, and returns what runs it.
func laboratory(t *testing.T) func(args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p2pfaas-lab")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/p2pfaas/p2pfaas/cmd/p2pfaas-lab").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return func(args ...string) (string, string, error) {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(path, args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		return stdout.String(), stderr.String(), err
	}
}

// outcomesOf is how many outcomes a model has counted for the function work.
func outcomesOf(t *testing.T, file string) (n int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Knowledge struct {
			Functions map[string]struct{ Outcomes int }
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m.Knowledge.Functions["work"].Outcomes
}

// TestTrainedInTheSimulator: what simulated nodes have learned a real one goes on with,
// and what that learns simulated ones do.
func TestTrainedInTheSimulator(t *testing.T) {
	lab := laboratory(t)
	trained := filepath.Join(t.TempDir(), "trained.json")
	stdout, stderr, err := lab("train", scenarioFile, "--with", "utilisation=0.95", "--seed", "1-2", "-o", trained)
	if err != nil || !strings.Contains(stdout, "tiny, seed 2") || !strings.Contains(stdout, trained) {
		t.Fatalf("train: %v\n%s%s", err, stdout, stderr)
	}
	before := outcomesOf(t, trained)
	if before < 100 {
		t.Fatalf("it has learned from %d outcomes", before)
	}

	n := nodetest.Start(t, nodetest.Spec{Program: program, Flags: []string{"--http", "127.0.0.1:0",
		"--listen", transports["tcp"], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e", "--policy", "calibrated"}})
	deploy(t, n, "work", "builtin:echo", []*nodetest.Process{n})
	says(t, tool(t, n, "policy", "show"), "calibrated", "epsilon-decay", "work: learned from 1 outcomes")
	tool(t, n, "policy", "import", trained)
	says(t, tool(t, n, "policy", "show"), fmt.Sprintf("work: learned from %d outcomes", before), "on time here:", "on time elsewhere:")

	const calls = 40
	for range calls {
		post(t, url(n, "work"), []byte("x"), "X-P2pfaas-Deadline", "5s").Body.Close()
	}
	exported := filepath.Join(t.TempDir(), "exported.json")
	tool(t, n, "policy", "export", exported)
	if after := outcomesOf(t, exported); after != before+calls {
		t.Errorf("after %d calls it has learned from %d outcomes, before from %d", calls, after, before)
	}

	stdout, stderr, err = lab("sim", scenarioFile, "-p", "calibrated,spread", "--model", exported, "--json")
	if err != nil || !strings.Contains(stdout, `"model":"`+exported+`"`) || strings.Count(stdout, "\n") != 2 {
		t.Errorf("sim: %v\n%s%s", err, stdout, stderr)
	}
	again := filepath.Join(t.TempDir(), "again.json")
	if _, stderr, err := lab("train", scenarioFile, "--from", exported, "-o", again); err != nil || outcomesOf(t, again) <= before {
		t.Errorf("train from what a node has learned: %v, %d outcomes\n%s", err, outcomesOf(t, again), stderr)
	}
	if _, stderr, err := lab("sim", scenarioFile, "-p", "sarsa@"+exported); err == nil || !strings.Contains(stderr, `of policy "calibrated", this is "sarsa"`) {
		t.Errorf("sarsa goes on with what calibrated has learned: %v\n%s", err, stderr)
	}
}

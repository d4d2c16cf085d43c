package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/report"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

// TestMain lets the test's program play the parts that it starts itself for.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-role" {
		main()
		return
	}
	os.Exit(m.Run())
}

// buildNode builds the product from the tree.
func buildNode(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "p2pfaas-node")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", name, "./cmd/p2pfaas-node")
	build.Dir = filepath.Join("..", "..")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return name
}

// It measures, for as short as can be.
func TestBench(t *testing.T) {
	node := buildNode(t)
	t.Run("all paths", func(t *testing.T) { allPaths(t, node) })
	t.Run("far", func(t *testing.T) { far(t, node) })
	t.Run("soak", func(t *testing.T) { shortSoak(t, node) })
}

func allPaths(t *testing.T, node string) {
	said := do(t, "-node", node, "-before", node, "-bodies", "1KB", "-at-once", "2", "-distance", "0", "-reps", "2", "-time", "30ms")
	_, missing := exec.LookPath("nats-server")
	for _, p := range stage.Paths(true) {
		if p.Name == "nats" && missing != nil {
			if !strings.Contains(said, "PATH nats IS LEFT OUT") {
				t.Errorf("nothing about the missing broker in\n%s", said)
			}
			continue
		}
		if !strings.Contains(said, "\n"+p.Name+" ") {
			t.Errorf("nothing of %s in\n%s", p.Name, said)
		}
	}
	if !strings.Contains(said, "p2pfaas lost 0 of ") {
		t.Errorf("nothing about losses in\n%s", said)
	}
}

func far(t *testing.T, node string) {
	folder := t.TempDir()
	do(t, "-node", node, "-paths", "sdk,bridge", "-bodies", "64KB", "-at-once", "2", "-far-at-once", "2", "-distance", "4ms",
		"-reps", "2", "-time", "30ms", "-out", folder)
	text, err := os.ReadFile(filepath.Join(folder, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f report.File
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	at := figures.Cell{Body: 64 << 10, AtOnce: 2, Distance: 4 * time.Millisecond}
	for _, path := range []string{"proxy", "sdk", "bridge"} {
		if s := f.Records.Value(figures.P50, path, at); s.N != 2 || s.Low < at.Distance.Seconds() {
			t.Errorf("%s: %+v, want 2 values of more than %v", path, s, at.Distance)
		}
	}
}

func shortSoak(t *testing.T, node string) {
	var out strings.Builder
	err := run(t.Context(), []string{"-node", node, "-paths", "sdk", "-soak", "500", "-at-once", "4", "-distance", "0"}, &out)
	if err == nil || !strings.Contains(err.Error(), "make more calls") || !strings.Contains(out.String(), "500 calls answered, 0 lost") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func do(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	return out.String()
}

func TestWithoutNode(t *testing.T) {
	err := run(t.Context(), []string{"-node", "/none/p2pfaas-node"}, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("%v", err)
	}
}

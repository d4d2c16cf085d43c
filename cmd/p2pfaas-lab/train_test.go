package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/rl"
)

// biased is a scenario whose model is wrong, and short.
var biased = []string{"testdata/biased.toml"}

// learnedOutcomes is how many outcomes a model has counted.
func learnedOutcomes(t *testing.T, path string) (n int) {
	t.Helper()
	text, err := os.ReadFile(path)
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
	for _, f := range m.Knowledge.Functions {
		n += f.Outcomes
	}
	return n
}

func train(t *testing.T, out string, args ...string) string {
	t.Helper()
	got := program(t, append(append([]string{"train", "-o", out}, args...), biased...)...)
	if got.code != exitOK {
		t.Fatalf("train %v: exit code %d: %s", args, got.code, got.stderr)
	}
	return got.stdout
}

// TestTrain: one run after the other, on from a model, and all together count what they
// saw, once.
func TestTrain(t *testing.T) {
	dir := t.TempDir()
	row, both, on := filepath.Join(dir, "row"), filepath.Join(dir, "both"), filepath.Join(dir, "on")
	text := train(t, row, "--seed", "1-2")
	for _, want := range []string{"biased, seed 1\n", "biased, seed 2\n", "DIFFERENCE", "all ", row} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	train(t, both, "--seed", "1-2", "--together", "--parallel", "1")
	train(t, on, "--seed", "3", "--from", row)
	n, m := learnedOutcomes(t, row), learnedOutcomes(t, on)
	if k := learnedOutcomes(t, both); n < 1000 || k < n*9/10 || k > n*11/10 {
		t.Errorf("%d outcomes one after the other, %d together", n, k)
	}
	if m < n*13/10 || m > n*17/10 {
		t.Errorf("%d outcomes in two runs, %d in three", n, m)
	}
}

// TestTrainedBeginsBetter: with what it has learned a policy does better from the
// beginning than without. It is of one that begins poorly.
func TestTrainedBeginsBetter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sarsa.json")
	train(t, file, "-p", "sarsa:epsilon-decay=0.99", "--seed", "1-3")
	got := program(t, append([]string{"compare", "-p", "sarsa:epsilon-decay=0.99,sarsa@" + file + ":epsilon-decay=0.99", "--seed", "7-9", "--json"}, biased...)...)
	if got.code != exitOK {
		t.Fatal(got.stderr)
	}
	var onTime []float64
	for _, line := range strings.Split(strings.TrimSpace(got.stdout), "\n") {
		var f findingJSON
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		onTime = append(onTime, f.Mean)
	}
	if len(onTime) != 2 || onTime[1] < onTime[0]+0.01 {
		t.Errorf("on time %v: without and with what it has learned", onTime)
	}
}

// TestTrainJSON: what is printed can be drawn.
func TestTrainJSON(t *testing.T) {
	dir := t.TempDir()
	runs, picture := filepath.Join(dir, "runs.json"), filepath.Join(dir, "x.svg")
	if err := os.WriteFile(runs, []byte(train(t, filepath.Join(dir, "model"), "--json")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := program(t, "plot", "learning", runs, "-o", picture); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	text, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"calibrated", "spread", "share on time", "mean reward", "share that explores", "share that the learner decides"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the picture has no %q", want)
		}
	}
}

func TestModelErrors(t *testing.T) {
	dir := t.TempDir()
	good, cut, other := filepath.Join(dir, "good"), filepath.Join(dir, "cut"), filepath.Join(dir, "other")
	train(t, good)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{
		cut:   string(text[:len(text)/2]),
		other: strings.Replace(string(text), `"features":"`, `"features":"0`, 1),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"sim " + tiny + " -p calibrated --model " + cut, rl.ErrCorrupt.Error()},
		{"sim " + tiny + " -p calibrated@" + other, rl.ErrForeign.Error() + ": of features"},
		{"sim " + tiny + " -p calibrated --model " + other, "of features"},
		{"sim " + tiny + " -p residual@" + good, `of policy "calibrated", this is "residual"`},
		{"sim " + tiny + " -p spread@" + good, "learns nothing"},
		{"sim " + tiny + " -p spread --model " + good, "it is of calibrated, and what runs is spread"},
		{"sim " + tiny + " -p calibrated --model " + good + " --model " + good, "are both of calibrated"},
		{"sim " + tiny + " --model " + tiny, rl.ErrCorrupt.Error()},
		{"compare " + tiny + " --model " + dir + "/none", "no such file"},
		{"train " + tiny + " --from " + cut, rl.ErrCorrupt.Error()},
		{"train " + tiny + " -p residual --from " + good, `of policy "calibrated"`},
		{"train " + tiny + " -p spread", "learns nothing"},
		{"train " + tiny + " -p external", "learns nothing"},
		{"train " + tiny + " -p calibrated,sarsa", "one is trained at a time"},
		{"train " + tiny + " --parallel 0", "want 1 or more"},
		{"train", "FILE is missing"},
	} {
		if got := program(t, strings.Fields(c.args)...); got.code != exitUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: exit code %d, %q; want %q", c.args, got.code, got.stderr, c.want)
		}
	}
	if got := program(t, "train", tiny, "-o", "/nonexistent/model"); got.code != exitFailure || !strings.Contains(got.stderr, "write model") {
		t.Errorf("exit code %d, %q", got.code, got.stderr)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write what is printed to testdata")

// ran is what a run of the program left.
type ran struct {
	code           int
	stdout, stderr string
}

func program(t *testing.T, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

const tiny = "testdata/tiny.toml"

func TestUsage(t *testing.T) {
	cases := []struct {
		args   string
		code   int
		stdout string // in it
		stderr string // in it; "": nothing at all
	}{
		{"", exitOK, "Available Commands", ""},
		{"--version", exitOK, "devel", ""},
		{"simm", exitUsage, "", "did you mean sim?"},
		{"sim", exitUsage, "", "FILE is missing"},
		{"sim --help", exitOK, "--sweep", ""},
		{"sim nowhere.toml", exitUsage, "", "nowhere.toml: no such file"},
		{"sim main.go", exitUsage, "", "invalid scenario"},
		{"sim " + tiny + " -p nobody", exitUsage, "", `unknown policy "nobody"`},
		{"sim " + tiny + " -p local:f=1", exitUsage, "", `unknown parameter "f"`},
		{"sim " + tiny + " -p local:f", exitUsage, "", "want NAME:KEY=VALUE"},
		{"sim " + tiny + " -p local --set f=1", exitUsage, "", "none of local has this parameter"},
		{"sim " + tiny + " --set f", exitUsage, "", "want KEY=VALUE"},
		{"sim " + tiny + " --seed 0", exitUsage, "", "want numbers from 1"},
		{"sim " + tiny + " --seed 5-1", exitUsage, "", "want numbers from 1"},
		{"sim " + tiny + " --seed 1-99999", exitUsage, "", "more than 10000 seeds"},
		{"sim " + tiny + " --sweep xyz=1,2", exitUsage, "", "xyz is neither a key of scenarios nor a parameter of power-of-n"},
		{"sim " + tiny + " --sweep seed=1,2", exitUsage, "", "use --seed"},
		{"sim " + tiny + " --sweep utilisation=0.1,,2", exitUsage, "", "empty value"},
		{"sim " + tiny + " --with nodes[7].servers=1", exitUsage, "", "there is no nodes[7]: there are 2"},
		{"sim " + tiny + " --with nodes[x].servers=1", exitUsage, "", "want an index from 0"},
		{"sim " + tiny + " --with network=1", exitUsage, "", "with network=1"},
		{"sim " + tiny + " --with duration.x=1", exitUsage, "", "duration has no keys below it"},
		{"sim " + tiny + " --with network.dely=1ms", exitUsage, "", `did you mean "delay"?`},
		{"sim " + tiny + " --with warmup=1h", exitUsage, "", "warmup is 1h0m0s"},
		{"sim " + tiny + " --parallel 0", exitUsage, "", "want 1 or more"},
		{"sim " + tiny + " --json --csv", exitFailure, "", "json csv"},
		{"compare " + tiny + " --measure luck", exitUsage, "", `there is no measure "luck"`},
		{"compare " + tiny + " --against nobody", exitUsage, "", `unknown policy "nobody"`},
		{"plot", exitOK, "Available Commands", ""},
		{"plot pie " + tiny, exitUsage, "", `there is no command "pie"`},
		{"plot load " + tiny + " -o x.gif", exitUsage, "", "want a file that ends with .png, .svg, .pdf"},
		{"plot load " + tiny + " -o x.png --width 1", exitUsage, "", "from 4 to 200 cm"},
		{"plot load " + tiny + " -o /nonexistent/x.png", exitFailure, "", "nothing is swept"},
		{"live " + tiny + " --node-binary /nonexistent/node", exitUsage, "", "there is no program /nonexistent/node"},
		{"live " + tiny + " -p perfect", exitUsage, "", `unknown policy "perfect"`},
		{"live " + tiny + " --with view=1", exitUsage, "", "view is 1, but real nodes get to know all 3 others"},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			got := program(t, strings.Fields(c.args)...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d", got.code, c.code)
			}
			if !strings.Contains(got.stdout, c.stdout) {
				t.Errorf("standard output %q, want %q in it", got.stdout, c.stdout)
			}
			if !strings.Contains(got.stderr, c.stderr) || c.stderr == "" && got.stderr != "" {
				t.Errorf("standard error %q, want %q in it", got.stderr, c.stderr)
			}
		})
	}
}

// TestPrinted compares what is printed with testdata. It is of policies that are
// rules from books.
func TestPrinted(t *testing.T) {
	const few = " -p local,power-of-n:f=2,t=1,perfect --seed 1-3"
	cases := []struct{ file, args string }{
		{"sim.txt", "sim " + tiny + few},
		{"sweep.txt", "sim " + tiny + " -p power-of-n,local --set loss=true --sweep t=1,2 --sweep nodes[1].servers=2,4"},
		{"compare.txt", "compare " + tiny + few + " --against perfect --measure in_deadline,mean_s"},
		{"compare.md", "compare " + tiny + few + " --against perfect --markdown"},
		{"compare.csv", "compare " + tiny + few + " --against perfect --csv"},
		{"compare.json", "compare " + tiny + few + " --against perfect --json"},
		{"compare-sweep.txt", "compare " + tiny + " -p local,power-of-n --sweep t=1,2 --seed 1-3 --set f=2 --against power-of-n"},
		{"single.txt", "compare " + tiny + " -p local --seed 1 --with utilisation=0.5"},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			got := program(t, strings.Fields(c.args)...)
			if got.code != exitOK {
				t.Fatalf("exit code %d: %s", got.code, got.stderr)
			}
			path := filepath.Join("testdata", c.file)
			if *update {
				if err := os.WriteFile(path, []byte(got.stdout), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.stdout); diff != "" {
				t.Errorf("%s; -update writes it anew:\n%s", path, diff)
			}
		})
	}
}

// TestInterrupted: what a signal leaves undone is told.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a signal"))
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"sim", tiny}, &stdout, &stderr); code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(stderr.String(), "interrupted") || stdout.Len() > 0 {
		t.Errorf("it printed %q and %q", stdout.String(), stderr.String())
	}
}

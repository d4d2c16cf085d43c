package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlots: each kind from a scenario and from JSON, as a picture with what it is
// of.
func TestPlots(t *testing.T) {
	dir := t.TempDir()
	outcomes := filepath.Join(dir, "runs.jsonl")
	got := program(t, "sim", tiny, "-p", "local,power-of-n", "--sweep", "utilisation=0.4,0.9", "--seed", "1-2", "--json", "--detail")
	if err := os.WriteFile(outcomes, []byte(got.stdout), 0o600); err != nil || got.code != exitOK {
		t.Fatal(err, got.stderr)
	}
	for _, kind := range []string{"load", "cdf", "nodes", "time"} {
		for _, input := range []string{tiny, outcomes} {
			out := filepath.Join(dir, kind+".svg")
			args := []string{"plot", kind, input, "-o", out, "--title", "a title"}
			if input == tiny {
				args = append(args, "-p", "local,power-of-n", "--sweep", "utilisation=0.4,0.9")
			}
			if got := program(t, args...); got.code != exitOK {
				t.Fatalf("%v: %s", args, got.stderr)
			}
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"local", "power-of-n", "a title", "<path"} {
				if !strings.Contains(string(text), want) {
					t.Errorf("%s of %s has no %q", kind, input, want)
				}
			}
		}
	}
}

func TestPNG(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.png")
	if got := program(t, "plot", "cdf", tiny, "-o", out, "--width", "10", "--height", "8"); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := picture.Bounds(); b.Dx() < 100 || b.Dx() <= b.Dy() {
		t.Errorf("it is of size %v", b)
	}
}

func TestPlotErrors(t *testing.T) {
	dir := t.TempDir()
	plain, other := filepath.Join(dir, "plain.json"), filepath.Join(dir, "other.json")
	got := program(t, "sim", tiny, "--json")
	for path, text := range map[string]string{plain: got.stdout, other: `{"a":1}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"cdf " + plain:  "print it with --json --detail",
		"cdf " + other:  "object 1 is no outcome",
		"load " + plain: "nothing is swept",
		"load " + tiny + " --sweep utilisation=0.5 --sweep t=1,2": "both t and utilisation are swept",
		"load " + tiny + " --sweep distribution=fixed":            "has no place on an axis",
		"cdf " + dir + "/none.json":                               "no such file",
	} {
		all := append([]string{"plot"}, append(strings.Fields(args), "-o", filepath.Join(dir, "x.png"))...)
		if got := program(t, all...); got.code == exitOK || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, %q; want %q", args, got.code, got.stderr, want)
		}
	}
}

// TestAt: straight between the points, flat outside.
func TestAt(t *testing.T) {
	curve := [][2]float64{{1, 0}, {2, 10}, {4, 20}}
	var got []float64
	for _, x := range []float64{0, 1, 1.5, 2, 3, 4, 9} {
		got = append(got, at(curve, x))
	}
	if diff := cmp.Diff([]float64{0, 0, 5, 10, 15, 20, 20}, got); diff != "" {
		t.Error(diff)
	}
}

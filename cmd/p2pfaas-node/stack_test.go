package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

const stackYML = "testdata/stack/stack.yml"

func (n *testNode) deployed(t *testing.T, name string) faas.Function {
	t.Helper()
	parsed, err := faas.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := n.runtime.Get(t.Context(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	return s.Function
}

func TestDeployStack(t *testing.T) {
	n := newTestNode(t)
	t.Setenv("TAG", "v2")
	t.Setenv("GREETING", "")
	if err := os.Unsetenv("GREETING"); err != nil {
		t.Fatal(err)
	}
	got := n.tool(t, "deploy", "-f", stackYML, "-e", "LEVEL=trace", "--label", "site=home", "--secret", "api-key", "--secret", "other", "--limit", "cpu=1")
	if got.code != exitOK || strings.Count(got.stdout, "deployed ") != 3 {
		t.Fatalf("%+v", got)
	}
	want := faas.Function{
		Name: faas.Name{Function: "img-upper", Namespace: faas.DefaultNamespace}, Image: "upper:v2", EnvProcess: "tr a-z A-Z",
		EnvVars:     map[string]string{"GREETING": "hello", "LEVEL": "trace", "FROM_FILE": "1"},
		Labels:      map[string]string{"team": "red", "site": "home"},
		Annotations: map[string]string{"note": "from the file"},
		Secrets:     []string{"api-key", "other"}, Constraints: []string{"node.arch == arm64"},
		Limits: &faas.Resources{Memory: "64Mi", CPU: "1"}, Requests: &faas.Resources{Memory: "16Mi"}, ReadOnlyRootFilesystem: true,
	}
	if diff := cmp.Diff(want, n.deployed(t, "img-upper")); diff != "" {
		t.Error(diff)
	}
	folder, err := filepath.Abs("testdata/stack")
	if err != nil {
		t.Fatal(err)
	}
	if image := n.deployed(t, "img-resize.lab").Image; image != "serve:"+folder+"/bin/resize" {
		t.Errorf("image %q, want the path from the file's folder", image)
	}
}

func TestDeployPartOfAStack(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"--filter img-*", "img-resize.lab img-upper"},
		{"--regex ^h", "hello"},
		{"--regex resize --namespace other", "img-resize.other"},
	} {
		t.Run(c.args, func(t *testing.T) {
			n := newTestNode(t)
			got := n.tool(t, append([]string{"deploy", "-f", stackYML}, strings.Fields(c.args)...)...)
			var names []string
			for line := range strings.Lines(got.stdout) {
				name, _, _ := strings.Cut(strings.TrimPrefix(line, "deployed "), ",")
				names = append(names, name)
			}
			if got.code != exitOK || strings.Join(names, " ") != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
		})
	}
}

func TestDeployStackTellsAllThatFailed(t *testing.T) {
	n := newTestNode(t)
	text := "provider:\n  name: openfaas\nfunctions:\n" +
		"  a:\n    image: exec:/etc/passwd\n  b:\n    image: builtin:hello\n  c:\n    image: exec:/etc/passwd\n"
	got := program(t, strings.NewReader(text), "deploy", "-f", "-", "--node", n.url, "--data", n.data)
	if got.code != exitFailure || !strings.Contains(got.stdout, "deployed b") ||
		!strings.Contains(got.stderr, "Error: deploy a: 400") || !strings.Contains(got.stderr, "Error: deploy c: 400") {
		t.Errorf("%+v", got)
	}
}

func TestMistakesInAStackDeployNothing(t *testing.T) {
	n := newTestNode(t)
	got := n.tool(t, "deploy", "-f", "testdata/stack/mistakes.yml")
	if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, "function Upper: ") || !strings.Contains(got.stderr, "function nothing: nothing to run") {
		t.Errorf("%+v", got)
	}
	if list, _ := n.runtime.List(t.Context(), ""); len(list) != 0 {
		t.Errorf("deployed: %v", list)
	}
}

func TestStackUsage(t *testing.T) {
	cleanEnviron(t)
	for _, c := range []struct {
		args   string
		code   int
		stderr string
	}{
		{"deploy -f /nonexistent.yml", exitFailure, "read /nonexistent.yml: open /nonexistent.yml: no such file"},
		{"deploy hello -f " + stackYML, exitUsage, `"hello" is one argument too many`},
		{"deploy -f " + stackYML + " --image builtin:hello", exitUsage, "--image does not go with -f"},
		{"deploy -f " + stackYML + " --filter a --regex b", exitUsage, "--filter or --regex, not both"},
		{"deploy -f " + stackYML + " --filter zzz", exitFailure, "no functions matching"},
		{"deploy hello --image builtin:hello --filter a", exitUsage, "go with -f FILE"},
		{"deploy hello --image builtin:hello --limit disk=1", exitUsage, "--limit disk=1: want memory=AMOUNT or cpu=AMOUNT"},
		{"deploy hello --image builtin:hello --request memory", exitUsage, "want KEY=VALUE"},
	} {
		if got := program(t, nil, strings.Fields(c.args)...); got.code != c.code || !strings.Contains(got.stderr, c.stderr) {
			t.Errorf("%s: %+v, want %q", c.args, got, c.stderr)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// ran is what a run of the program left.
type ran struct {
	code   int
	stdout string
	stderr string
}

// program runs the program with a data folder of its own and no settings from
// the environment.
func program(t *testing.T, stdin io.Reader, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, stdin, &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

// cleanEnviron keeps a test from the settings and state of whoever runs it.
func cleanEnviron(t *testing.T) {
	t.Helper()
	for _, name := range []string{"NODE", "DATA", "AUTH", "USER", "PASSWORD_FILE", "CONFIG"} {
		t.Setenv(envPrefix+name, "")
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
}

func TestUsage(t *testing.T) {
	cleanEnviron(t)
	// Nothing listens at port 1 of loopback.
	const nowhere = "http://127.0.0.1:1"
	cases := []struct {
		args   string
		code   int
		stdout string // in it
		stderr string // in it; "": nothing at all
	}{
		{"", exitOK, "Available Commands", ""},
		{"help run", exitOK, "--max-open", ""},
		{"run --help", exitOK, "--image-alias", ""},
		{"version", exitOK, "p2pfaas-node ", ""},
		{"version -o json", exitOK, `"platform": "`, ""},
		{"--version", exitOK, programVersion().String() + "\n", ""},
		{"completion", exitOK, "Available Commands", ""},
		{"completion fooshell", exitUsage, "", `no script for "fooshell"; want one of bash, fish, powershell, zsh`},
		{"completion bash", exitOK, "bash completion", ""},
		{"deplo", exitUsage, "", "did you mean deploy?"},
		{"xyzzy", exitUsage, "", `there is no command "xyzzy"`},
		{"run --sevrers 3", exitUsage, "", "unknown flag: --sevrers"},
		{"run --servers many", exitUsage, "", `"many"`},
		{"run now", exitUsage, "", `"now" is one argument too many`},
		{"run --mesh A --retry maybe", exitUsage, "", "Error: configuration: retry"},
		{"run --token file", exitUsage, "", "closed meshes are not in this version"},
		{"run --openfaas-url 127.0.0.1:8080", exitUsage, "", "want one as http://"},
		{"run --config /nonexistent/p2pfaas.toml", exitUsage, "", "read configuration /nonexistent/p2pfaas.toml"},
		{"run --set loss", exitUsage, "", "want KEY=VALUE"},
		{"deploy", exitUsage, "", "NAME is missing"},
		{"deploy Hello --image builtin:hello", exitUsage, "", `function name "Hello"`},
		{"deploy hello", exitUsage, "", "nothing to run"},
		{"deploy hello --image builtin:hello --weight 0.001", exitUsage, "", "want 0.02 to 64"},
		{"deploy hello --image builtin:hello --node " + nowhere, exitFailure, "", "p2pfaas-node run"},
		{"deploy hello --image builtin:hello --scale -1", exitUsage, "", "--scale -1: want 0 or more"},
		{"deploy hello --env-process sh='a'", exitUsage, "", "no shell: quotes are not interpreted; put the command into a script"},
		{"run --image-alias foo=bar", exitUsage, "", "builtin:NAME, exec:PATH, serve:PATH, wasm:PATH, http://HOST:PORT"},
		{"remove no_such", exitUsage, "", `function name "no_such"`},
		{"functions -o yaml", exitUsage, "", "want text or json"},
		{"functions --node ftp://127.0.0.1:18080", exitUsage, "", "want a URL"},
		{"functions --node 127.0.0.1:1", exitFailure, "", "no node answers at " + nowhere},
		{"functions --help", exitOK, "P2PFAAS_NODE", ""},
		{"functions --help", exitOK, "P2PFAAS_DATA", ""},
		{"--help", exitOK, "P2PFAAS_NODE", ""},
		{"calls --help", exitOK, "--outcome outcome ", ""},
		{"functions --node " + nowhere, exitFailure, "", "no node answers at " + nowhere},
		{"peers --node " + nowhere, exitFailure, "", "no node answers"},
		{"id --node " + nowhere, exitFailure, "", "no node has run with the data folder"},
		{"invoke", exitUsage, "", "NAME is missing"},
		{"invoke hello --header nonsense", exitUsage, "", "'Name: value'"},
		{"invoke hello --data @/nonexistent", exitFailure, "", "/nonexistent"},
		{"invoke hello --node " + nowhere, exitFailure, "", "no node answers"},
		{"invoke hello --peer /ip4/127.0.0.1/tcp/1", exitFailure, "", "invoke hello: "},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			got := program(t, strings.NewReader(""), strings.Fields(c.args)...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d", got.code, c.code)
			}
			if !strings.Contains(got.stdout, c.stdout) || c.stdout == "" && got.stdout != "" {
				t.Errorf("standard output %q, want %q in it", got.stdout, c.stdout)
			}
			if !strings.Contains(got.stderr, c.stderr) || c.stderr == "" && got.stderr != "" {
				t.Errorf("standard error %q, want %q in it", got.stderr, c.stderr)
			}
			for line := range strings.Lines(got.stderr) {
				if !strings.HasPrefix(line, "Error: ") && !strings.HasPrefix(line, "See '") {
					t.Errorf("standard error has the line %q", line)
				}
			}
		})
	}
}

// TestHelpOfScale: no number stands for "not given".
func TestHelpOfScale(t *testing.T) {
	got := program(t, nil, "deploy", "--help")
	if !strings.Contains(got.stdout, "--scale int") || strings.Contains(got.stdout, "(default -1)") {
		t.Errorf("%s", got.stdout)
	}
}

// TestAllHelp: every command says in one line what it is for.
func TestAllHelp(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") || strings.Contains(cmd.Short, "\n") {
			t.Errorf("%s: %q", cmd.Name(), cmd.Short)
		}
	}
}

func TestCompletion(t *testing.T) {
	cleanEnviron(t)
	cases := []struct{ args, want string }{
		{"__complete run --policy ", "spread"},
		{"__complete run --retry ", "idempotent"},
		{"__complete functions -o ", "json"},
		{"__complete inv", "invoke"},
	}
	for _, c := range cases {
		args := strings.Split(c.args, " ")
		if got := program(t, nil, args...); !strings.Contains(got.stdout, c.want) {
			t.Errorf("%s: got %q, want %q in it", c.args, got.stdout, c.want)
		}
	}
}

func TestCancelledRun(t *testing.T) {
	cleanEnviron(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"invoke", "hello"}, nil, &stdout, &stderr); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("standard error %q", stderr.String())
	}
}

package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/faas-provider/logs"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
)

// keeper is a node's system API, named by the environment, over a runtime that
// keeps secrets, namespaces and logs.
type keeper struct{ *faastest.Fake }

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	cleanEnviron(t)
	k := &keeper{new(faastest.Fake)}
	data := t.TempDir()
	user, password, err := api.LoadCredentials(data)
	if err != nil {
		t.Fatal(err)
	}
	system := api.New(k.Fake, api.Options{Credentials: &api.Credentials{User: user, Password: password}})
	server := httptest.NewServer(system)
	t.Cleanup(func() { system.Close(); server.Close(); _ = k.Close() })
	t.Setenv("P2PFAAS_NODE", server.URL)
	t.Setenv("P2PFAAS_DATA", data)
	return k
}

// step is a command and what comes of it.
type step struct {
	args, stdin    string
	code           int
	stdout, stderr string
}

func (k *keeper) steps(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		got := program(t, strings.NewReader(s.stdin), strings.Split(s.args, " ")...)
		if got.code != s.code || !strings.Contains(got.stdout, s.stdout) || !strings.Contains(got.stderr, s.stderr) {
			t.Errorf("%s: got %+v, want %+v", s.args, got, s)
		}
	}
}

func TestSecrets(t *testing.T) {
	k := newKeeper(t)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("\x00\xff binary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.steps(t, []step{
		{"secret list -o json", "", exitOK, "[]", ""},
		{"secret create api-key --from-literal tops3cret", "", exitOK, "created secret api-key\n", ""},
		{"secret create api-key --from-literal tops3cret", "", exitFailure, "", "create secret api-key: "},
		{"secret create piped", " from stdin \n", exitOK, "created secret piped", ""},
		{"secret create raw --trim=false --namespace lab --from-file " + file, "", exitOK, "created secret raw", ""},
		{"secret update piped", "new", exitOK, "updated secret piped", ""},
		{"secret update none --from-literal x", "", exitFailure, "", "update secret none: 404"},
		{"secret list", "", exitOK, "NAME     NAMESPACE\napi-key  openfaas-fn\npiped    openfaas-fn\n", ""},
		{"secret list --namespace lab -o json", "", exitOK, `"name": "raw"`, ""},
		{"secret create empty", "\n", exitUsage, "", "the value is empty"},
		{"secret create both --from-literal a --from-file " + file, "", exitUsage, "", "not both"},
		{"secret create ../x --from-literal a", "", exitFailure, "", "create secret ../x: 400"},
		{"secret remove api-key", "", exitOK, "removed secret api-key", ""},
		{"secret rm api-key", "", exitFailure, "", "remove secret api-key: 404"},
		{"secret lst", "", exitUsage, "", `there is no command "lst"`},
		{"__complete secret remove ", "", exitOK, "piped", ""},
		{"__complete deploy x --secret ", "", exitOK, "piped", ""},
	})
	for name, want := range map[string]string{"openfaas-fn/piped": "new", "lab/raw": "\x00\xff binary\n"} {
		namespace, secret, _ := strings.Cut(name, "/")
		if got, _ := k.SecretValue(namespace, secret); string(got) != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestSecretsAreNotEchoed, whatever goes wrong.
func TestSecretsAreNotEchoed(t *testing.T) {
	newKeeper(t)
	for _, args := range []string{"secret create a --from-literal tops3cret", "secret create a --from-literal tops3cret", "secret update zz --from-literal tops3cret",
		"secret create ../a --from-literal tops3cret", "secret list -o json", "secret create a --from-literal tops3cret --node http://127.0.0.1:1"} {
		got := program(t, nil, strings.Fields(args)...)
		if strings.Contains(got.stdout+got.stderr, "tops3cret") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// TestSecretsAreNotTyped: /dev/null is a device as terminals are.
func TestSecretsAreNotTyped(t *testing.T) {
	newKeeper(t)
	device, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if got := program(t, device, "secret", "create", "a"); got.code != exitUsage || !strings.Contains(got.stderr, "a terminal would show") {
		t.Errorf("%+v", got)
	}
}

func TestNamespaces(t *testing.T) {
	k := newKeeper(t)
	k.steps(t, []step{
		{"namespace list", "", exitOK, "openfaas-fn\n", ""},
		{"namespace create lab --label team=red --annotation note=hi", "", exitOK, "created namespace lab\n", ""},
		{"namespace create lab", "", exitFailure, "", "create namespace lab: "},
		{"ns show lab", "", exitOK, "label       team=red\nannotation  note=hi\n", ""},
		{"namespace update lab --label team=blue", "", exitOK, "updated namespace lab", ""},
		{"namespace show lab -o json", "", exitOK, `"team": "blue"`, ""},
		{"namespace list -o json", "", exitOK, `"lab"`, ""},
		{"deploy f.lab --image x", "", exitOK, "deployed f.lab", ""},
		{"namespace remove lab", "", exitFailure, "", "remove namespace lab: 400"},
		{"remove f.lab", "", exitOK, "removed f.lab", ""},
		{"namespace remove lab", "", exitOK, "removed namespace lab", ""},
		{"namespace show lab", "", exitFailure, "", "show namespace lab: 404"},
		{"__complete functions --namespace ", "", exitOK, "openfaas-fn", ""},
	})
}

func TestScale(t *testing.T) {
	k := newKeeper(t)
	k.steps(t, []step{
		{"deploy f.lab --image x", "", exitOK, "deployed", ""},
		{"scale f.lab 3", "", exitOK, "scaled f.lab to 3\n", ""},
		{"functions --namespace lab", "", exitOK, "f.lab  x      3 ", ""},
		{"scale f --namespace lab 0", "", exitOK, "scaled f.lab to 0\n", ""},
		{"scale f 1", "", exitFailure, "", "scale f to 1: 404"},
		{"scale f.lab many", "", exitUsage, "", `"many" is no number of replicas`},
		{"scale f.lab", "", exitUsage, "", "REPLICAS is missing"},
		{"deploy g --image x", "", exitOK, "deployed", ""},
		{"__complete scale ", "", exitOK, "g\n", ""},
		{"__complete logs ", "", exitOK, "g\n", ""},
	})
}

func TestLogs(t *testing.T) {
	k := newKeeper(t)
	k.steps(t, []step{{"deploy f --image x", "", exitOK, "deployed", ""}})
	f := faas.Name{Function: "f", Namespace: faas.DefaultNamespace}
	for _, line := range []struct{ instance, text string }{{"f-1", "one"}, {"f-2", "two <b>"}, {"f-1", "three"}} {
		if err := k.Write(f, line.instance, line.text); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"logs f":                              "one, two <b>, three",
		"logs f --tail 1":                     "three",
		"logs f --instance f-2":               "two <b>",
		"logs f --since 1h --tail 2":          "two <b>, three",
		"logs f --since 2100-01-02T03:04:05Z": "",
	} {
		got := program(t, nil, strings.Fields(args+" -o json")...)
		var texts []string
		for line := range strings.Lines(got.stdout) {
			var m logs.Message
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%s: %v: %q", args, err, line)
			}
			texts = append(texts, m.Text)
		}
		if got.code != exitOK || strings.Join(texts, ", ") != want {
			t.Errorf("%s: %+v, want %s", args, got, want)
		}
	}
	k.steps(t, []step{
		{"logs f", "", exitOK, " f-2 two <b>\n", ""},
		{"logs g", "", exitFailure, "", "logs of g: 404"},
		{"logs f --tail 0", "", exitUsage, "", "--tail 0: want 1 or more"},
		{"logs f --since yesterday", "", exitUsage, "", `--since "yesterday": want how long ago`},
	})
}

// TestFollowedLogs: lines are shown as they come, and the signal to stop is no
// failure.
func TestFollowedLogs(t *testing.T) {
	k := newKeeper(t)
	k.steps(t, []step{{"deploy f --image x", "", exitOK, "deployed", ""}})
	f := faas.Name{Function: "f", Namespace: faas.DefaultNamespace}
	shown, stop := following(t, "logs", "f", "-f")
	for _, text := range []string{"one", "two"} {
		if err := k.Write(f, "f-1", text); err != nil {
			t.Fatal(err)
		}
		select {
		case line := <-shown:
			if !strings.HasSuffix(line, " f-1 "+text) {
				t.Errorf("line %q, want %s", line, text)
			}
		case <-time.After(patience):
			t.Fatalf("%s is not shown", text)
		}
	}
	if left := stop(); left != (ran{}) {
		t.Errorf("after the signal: %+v", left)
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/sched"
)

// deployments is a faas.Runtime that deploys but does not run.
type deployments struct {
	mu  sync.Mutex
	all map[faas.Name]faas.Status
}

func (d *deployments) Info(context.Context) (faas.Info, error) { return faas.Info{Name: "test"}, nil }
func (d *deployments) Close() error                            { return nil }

func (d *deployments) List(_ context.Context, namespace string) ([]faas.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := []faas.Status{}
	for name, s := range d.all {
		if namespace == "" || name.Namespace == namespace {
			list = append(list, s)
		}
	}
	return list, nil
}

func (d *deployments) Get(_ context.Context, name faas.Name) (faas.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.all[name]
	if !ok {
		return s, fmt.Errorf("%s: %w", name, faas.ErrNotFound)
	}
	return s, nil
}

func (d *deployments) Deploy(_ context.Context, f faas.Function) error {
	if f.Image == "exec:/etc/passwd" {
		return fmt.Errorf("image %s is not below --exec-path: %w", f.Image, faas.ErrInvalid)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all[f.Name] = faas.Status{Function: f, Replicas: 1, AvailableReplicas: 1}
	return nil
}

func (d *deployments) Remove(ctx context.Context, name faas.Name) error {
	if _, err := d.Get(ctx, name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, name)
	return nil
}

func (d *deployments) Scale(ctx context.Context, name faas.Name, replicas int) error {
	s, err := d.Get(ctx, name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Replicas = replicas
	d.all[name] = s
	return nil
}

func (d *deployments) Invoke(context.Context, *faas.Request) (*faas.Response, error) {
	return nil, faas.ErrUnsupported
}

// testNode serves the node's HTTP API: the system part by the code that nodes
// serve it with, functions by handlers.
type testNode struct {
	url, data string
	runtime   *deployments
	functions *http.ServeMux
}

const runningPeer = "12D3KooWPvgWNnrZiUKkPhcSXrUM3SU4KgSCZUxArozJTrMVxUMc"

func newTestNode(t *testing.T) *testNode {
	t.Helper()
	cleanEnviron(t)
	n := &testNode{data: t.TempDir(), runtime: &deployments{all: map[faas.Name]faas.Status{}}, functions: http.NewServeMux()}
	user, password, err := api.LoadCredentials(n.data)
	if err != nil {
		t.Fatal(err)
	}
	credentials := api.Credentials{User: user, Password: password}
	mux := http.NewServeMux()
	mux.Handle("/", api.New(n.runtime, api.Options{Credentials: &credentials, P2pfaas: func() any {
		return node.Ready{PeerID: runningPeer, Addrs: []string{"/ip4/127.0.0.1/tcp/1/p2p/" + runningPeer}}
	}}))
	mux.Handle("/system/peers", api.Auth(http.HandlerFunc(somePeers), credentials))
	mux.Handle("/function/", n.functions)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	n.url = server.URL
	return n
}

func somePeers(w http.ResponseWriter, _ *http.Request) {
	id, err := peer.Decode(runningPeer)
	if err != nil {
		panic(err)
	}
	_ = json.NewEncoder(w).Encode([]mesh.PeerStatus{
		{ID: id, Transport: "tcp", Zone: "rack-1", RTT: 1234 * time.Microsecond, Neighbour: true, Candidate: true, Health: 1, Honesty: .5,
			Load: sched.Load{Wait: 250 * time.Millisecond, Running: 3, Queued: 2, Servers: 4}, Age: 1500 * time.Millisecond, Functions: []string{"a", "b"}},
		{ID: id, Heard: -1},
	})
}

// tool runs a tool against the node with its credentials.
func (n *testNode) tool(t *testing.T, args ...string) ran {
	t.Helper()
	return program(t, strings.NewReader(""), append(args, "--node", n.url, "--data", n.data)...)
}

func TestDeploy(t *testing.T) {
	n := newTestNode(t)
	got := n.tool(t, "deploy", "upper", "--env-process", "tr a-z A-Z", "-e", "A=1,2", "-e", "B=x=y",
		"--label", "team=red", "--annotation", "note=hi", "--idempotent", "--weight", "0.5", "--deadline", "2s")
	if got.code != exitOK || !strings.Contains(got.stdout, n.url+"/function/upper") {
		t.Fatalf("%+v", got)
	}
	s, err := n.runtime.Get(t.Context(), faas.Name{Function: "upper", Namespace: faas.DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	want := faas.Function{
		Name:       faas.Name{Function: "upper", Namespace: faas.DefaultNamespace},
		EnvProcess: "tr a-z A-Z",
		EnvVars:    map[string]string{"A": "1,2", "B": "x=y"},
		Labels:     map[string]string{"team": "red"},
		Annotations: map[string]string{
			"note": "hi", faas.AnnotationIdempotent: "true", faas.AnnotationWeight: "0.5", faas.AnnotationDeadline: "2s",
		},
	}
	if diff := cmp.Diff(want, s.Function); diff != "" {
		t.Error(diff)
	}
}

func TestDeployReplacesAndRemoves(t *testing.T) {
	n := newTestNode(t)
	steps := []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"deploy f.lab --image builtin:hello", exitOK, "deployed f.lab", ""},
		{"deploy f --namespace lab --image builtin:echo --scale 0", exitOK, "deployed f.lab", ""},
		{"functions", exitOK, "NAME", ""},
		{"functions --namespace lab", exitOK, "f.lab  builtin:echo  0 ", ""},
		{"functions --namespace lab -o json", exitOK, `"image": "builtin:echo"`, ""},
		{"functions -o json", exitOK, "[]", ""},
		{"deploy g --image exec:/etc/passwd", exitFailure, "", "deploy g: 400 Bad Request: image exec:/etc/passwd is not below --exec-path"},
		{"remove f", exitFailure, "", "remove f: 404 Not Found"},
		{"remove f.lab", exitOK, "removed f.lab", ""},
		{"functions --namespace lab -o json", exitOK, "[]", ""},
	}
	for _, s := range steps {
		got := n.tool(t, strings.Fields(s.args)...)
		if got.code != s.code || !strings.Contains(got.stdout, s.stdout) || !strings.Contains(got.stderr, s.stderr) {
			t.Errorf("%s: got %+v, want %+v", s.args, got, s)
		}
	}
}

func TestPeers(t *testing.T) {
	n := newTestNode(t)
	got := n.tool(t, "peers")
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if got.code != exitOK || len(lines) != 3 {
		t.Fatalf("%+v", got)
	}
	want := []string{"…MVxUMc", "direct/tcp", "1.2ms", "250ms", "3/4", "2", "1.5s", "1.00", "0.50", "candidate", "rack-1", "a,b"}
	if diff := cmp.Diff(want, strings.Fields(lines[1])); diff != "" {
		t.Error(diff)
	}
	want = []string{"…MVxUMc", "-", "-", "-", "-", "-", "-", "0.00", "0.00", "known", "-", "-"}
	if diff := cmp.Diff(want, strings.Fields(lines[2])); diff != "" {
		t.Error(diff)
	}
}

func TestID(t *testing.T) {
	n := newTestNode(t)
	want := runningPeer + "\n/ip4/127.0.0.1/tcp/1/p2p/" + runningPeer + "\n"
	if got := n.tool(t, "id"); got.code != exitOK || got.stdout != want {
		t.Errorf("%+v", got)
	}
	if got := n.tool(t, "id", "-o", "json"); !strings.Contains(got.stdout, `"peer": "`+runningPeer+`"`) {
		t.Errorf("%+v", got)
	}
}

func TestCredentials(t *testing.T) {
	n := newTestNode(t)
	passwordFile := filepath.Join(n.data, "basic-auth-password")
	wrong := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(wrong, []byte("guess"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		flags  []string
		env    string
		stderr string // "": let in
	}{
		{"data folder", []string{"--data", n.data}, "", ""},
		{"data folder from the environment", nil, n.data, ""},
		{"auth folder", []string{"--auth", n.data}, "", ""},
		{"password", []string{"--password-file", passwordFile}, "", ""},
		{"nothing", nil, "", "none were sent (read credentials: open"},
		{"auth none", []string{"--auth", "none"}, n.data, "as --auth none says"},
		{"wrong user", []string{"--user", "root", "--password-file", passwordFile}, "", "these are not this node's credentials"},
		{"wrong password", []string{"--password-file", wrong}, n.data, "these are not this node's credentials"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("P2PFAAS_DATA", c.env)
			got := program(t, nil, append([]string{"functions", "--node", n.url}, c.flags...)...)
			if strings.HasPrefix(c.name, "wrong") && strings.Contains(got.stderr, "--password-file") {
				t.Errorf("%q asks for what was given", got.stderr)
			}
			if c.stderr == "" && got.code != exitOK {
				t.Errorf("%+v", got)
			}
			if c.stderr != "" && (got.code != exitFailure || !strings.Contains(got.stderr, "401 Unauthorized") || !strings.Contains(got.stderr, c.stderr)) {
				t.Errorf("%+v, want %q", got, c.stderr)
			}
		})
	}
}

// TestCredentialsStayHere: the credentials of this machine's node do not go to
// another machine by default.
func TestCredentialsStayHere(t *testing.T) {
	cleanEnviron(t)
	data := node.DefaultDataDir()
	if _, _, err := api.LoadCredentials(data); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		node string
		data string
		sent bool
	}{
		{"http://127.0.0.1:18080", "", true},
		{"127.0.0.1:18080", "", true},
		{"192.168.1.7:18080", "", false},
		{"http://[::1]:18080", "", true},
		{"http://localhost", "", true},
		{"http://192.168.1.7:18080", "", false},
		{"http://192.168.1.7:18080", data, true},
	}
	for _, c := range cases {
		t.Setenv("P2PFAAS_DATA", c.data)
		t.Setenv("P2PFAAS_NODE", c.node)
		var tg target
		tg.addTo(newVersion())
		r, err := tg.remote()
		if err != nil {
			t.Fatal(err)
		}
		if sent := r.password != ""; sent != c.sent {
			t.Errorf("%+v: sent %v (%s)", c, sent, r.noCredentials)
		}
	}
}

func TestNotANode(t *testing.T) {
	cleanEnviron(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>a router's page</html>")
	}))
	defer server.Close()
	for _, tool := range []string{"functions", "peers", "id"} {
		got := program(t, nil, tool, "--node", server.URL)
		if got.code != exitFailure || !strings.Contains(got.stderr, "is not what a node sends") {
			t.Errorf("%s: %+v", tool, got)
		}
	}
}

func TestFunctionRows(t *testing.T) {
	got := functionRows([]deployed{{FunctionStatus: types.FunctionStatus{Name: "f", Namespace: faas.DefaultNamespace, EnvProcess: "cat", Replicas: 2, AvailableReplicas: 1, InvocationCount: 3e6}}})
	want := [][]string{{"NAME", "IMAGE", "REPLICAS", "READY", "INVOCATIONS"}, {"f", "cat", "2", "1", "3000000"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

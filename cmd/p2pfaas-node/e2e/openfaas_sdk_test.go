package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openfaas/faas-provider/types"
	sdk "github.com/openfaas/go-sdk"

	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// sdkUser is OpenFaaS's own client of a node.
type sdkUser struct {
	*sdk.Client
	node *nodetest.Process
	talk string // the image of a function that writes what it is sent to its log, and answers nothing
	echo string // the image of one that sends it back
}

// TestGoSDK: OpenFaaS's own Go SDK does all that it can do, with a node that runs
// functions itself and with one before a gateway.
func TestGoSDK(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		dir, err := os.MkdirTemp("", "p2pfaas-sdk-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		if err := os.Chmod(dir, 0o755); err != nil { // functions run as another user
			t.Fatal(err)
		}
		talk := filepath.Join(dir, "talk")
		if err := os.WriteFile(talk, []byte("#!/bin/sh\n/bin/cat >&2\necho >&2\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		useSDK(t, sdkUser{node: node(t, "tcp", nil, "--exec-path", dir), talk: "exec:" + talk, echo: "builtin:echo"})
	})
	t.Run("openfaas", func(t *testing.T) {
		g := openfaastest.New(t, openfaastest.Options{User: "admin", Password: "pw", ScaleFromZero: true})
		p := node(t, "tcp", nil, "--openfaas-url", g.URL(), "--openfaas-auth", secrets(t, "admin", "pw"))
		useSDK(t, sdkUser{node: p, talk: "say", echo: "echo"})
	})
}

func useSDK(t *testing.T, u sdkUser) {
	at, err := neturl.Parse("http://" + u.node.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	user, password := u.node.Credentials()
	u.Client = sdk.NewClient(at, &sdk.BasicAuth{Username: user, Password: password}, &http.Client{Timeout: nodetest.Patience})
	info, err := u.GetInfo(t.Context())
	if err != nil || info.Provider.Provider != "p2pfaas" || info.Version.Release == "" || info.Arch == "" {
		t.Errorf("info %+v, %v", info, err)
	}
	t.Run("functions", u.functions)
	t.Run("secrets", u.secrets)
	t.Run("namespaces", u.namespaces)
	t.Run("logs", u.logs)
	t.Run("stranger", func(t *testing.T) {
		stranger := sdk.NewClient(at, &sdk.BasicAuth{Username: user, Password: "guessed"}, http.DefaultClient)
		if status, err := stranger.Deploy(t.Context(), types.FunctionDeployment{Service: "x", Image: u.echo}); status != http.StatusUnauthorized || err == nil {
			t.Errorf("status %d, %v", status, err)
		}
	})
	t.Run("end", u.ends)
}

// ends: a log that is followed keeps no node from ending.
func (u sdkUser) ends(t *testing.T) {
	did(t, "deploy")(u.Deploy(t.Context(), u.talks()))
	u.says(t, "last words")
	followed, err := u.GetLogs(t.Context(), "talk", "", true, -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.node.Stop(); err != nil {
		t.Error(err)
	}
	for range followed { // till its end
	}
	if strings.Contains(u.node.Log(), "drain limit") {
		t.Error("the node waited for the log that was followed")
	}
}

// did fails the test unless a change was accepted.
func did(t *testing.T, what string) func(status int, err error) {
	return func(status int, err error) {
		t.Helper()
		if status != http.StatusAccepted || err != nil {
			t.Fatalf("%s: status %d, %v", what, status, err)
		}
	}
}

func (u sdkUser) functions(t *testing.T) {
	ctx := t.Context()
	if list, err := u.GetFunctions(ctx, ""); err != nil || len(list) != 0 {
		t.Errorf("a new node lists %v, %v", list, err)
	}
	spec := types.FunctionDeployment{
		Service: "greet", Image: u.echo, EnvVars: map[string]string{"colour": "blue"},
		Labels: &map[string]string{"team": "edge"}, Annotations: &map[string]string{"topic": "t"},
		Limits: &types.FunctionResources{Memory: "64Mi", CPU: "100m"}, Requests: &types.FunctionResources{Memory: "32Mi"},
	}
	if status, err := u.Update(ctx, spec); status != http.StatusNotFound {
		t.Errorf("update of what is not there: status %d, %v", status, err)
	}
	did(t, "deploy")(u.Deploy(ctx, spec))
	spec.EnvVars["colour"] = "green"
	did(t, "update")(u.Update(ctx, spec))
	got, err := u.GetFunction(ctx, "greet", "")
	want := types.FunctionStatus{
		Name: "greet", Image: u.echo, Namespace: "openfaas-fn", EnvVars: spec.EnvVars, Labels: spec.Labels,
		Annotations: spec.Annotations, Limits: spec.Limits, Requests: spec.Requests, Replicas: 1,
	}
	want.CreatedAt, want.AvailableReplicas = got.CreatedAt, got.AvailableReplicas
	if diff := cmp.Diff(want, got); err != nil || diff != "" || got.CreatedAt.IsZero() {
		t.Errorf("%v, function (-want +got):\n%s", err, diff)
	}
	u.echoes(t, "greet", "openfaas-fn")
	u.async(t, "greet")
	if err := u.ScaleFunction(ctx, "greet", "openfaas-fn", 2); err != nil {
		t.Fatal(err)
	}
	nodetest.Eventually(t, "2 replicas are available", func() error {
		got, err := u.GetFunction(ctx, "greet", "openfaas-fn")
		if err != nil || got.Replicas != 2 || got.AvailableReplicas != 2 {
			return fmt.Errorf("%d of %d replicas, %w", got.AvailableReplicas, got.Replicas, err)
		}
		return nil
	})
	if got := u.node.MetricsLike(`gateway_function_invocation_total\{code="201",function_name="greet.openfaas-fn"\}`); got == "" {
		t.Errorf("the call was not counted: %s", u.node.MetricsLike("gateway_"))
	}
	if got := u.node.MetricsLike("gateway_service_count"); got != `gateway_service_count{function_name="greet.openfaas-fn"} 2` {
		t.Errorf("replicas by the metrics: %q", got)
	}
	if list, err := u.GetFunctions(ctx, "openfaas-fn"); err != nil || len(list) != 1 || list[0].Name != "greet" || list[0].InvocationCount < 1 {
		t.Errorf("functions %+v, %v", list, err)
	}
	if err := u.DeleteFunction(ctx, "greet", "openfaas-fn"); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"delete": u.DeleteFunction(ctx, "greet", "openfaas-fn"),
		"scale":  u.ScaleFunction(ctx, "greet", "openfaas-fn", 1),
	} {
		if err == nil || !strings.Contains(err.Error(), "greet not found") {
			t.Errorf("%s of what is not there: %v", what, err)
		}
	}
}

// echoes calls a function until it answers: one that was just deployed may be starting.
func (u sdkUser) echoes(t *testing.T, function, namespace string) {
	t.Helper()
	nodetest.Eventually(t, function+" answers", func() error {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://x/?status=201", strings.NewReader("hello"))
		if err != nil {
			return err
		}
		req.Header.Set("X-Echo-Colour", "blue")
		resp, err := u.InvokeFunction(function, namespace, false, false, req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 201 || string(body) != "hello" || resp.Header.Get("X-Echo-Colour") != "blue" {
			return fmt.Errorf("status %d, %q, %v, %w", resp.StatusCode, body, resp.Header, err)
		}
		return nil
	})
}

func (u sdkUser) async(t *testing.T, function string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://x/", strings.NewReader("later"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := u.InvokeFunction(function, "", true, false, req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted || resp.Header.Get("X-Call-Id") == "" || len(body) > 0 {
		t.Errorf("asynchronous: status %d, %q, %v", resp.StatusCode, body, resp.Header)
	}
}

func (u sdkUser) secrets(t *testing.T) {
	ctx := t.Context()
	did(t, "create")(u.CreateSecret(ctx, types.Secret{Name: "token", Namespace: "openfaas-fn", Value: "s3cret"}))
	did(t, "create")(u.CreateSecret(ctx, types.Secret{Name: "key", RawValue: []byte{0, 255}}))
	if status, err := u.CreateSecret(ctx, types.Secret{Name: "token", Value: "x"}); status != http.StatusConflict || err == nil {
		t.Errorf("created twice: status %d, %v", status, err)
	}
	did(t, "update")(u.UpdateSecret(ctx, types.Secret{Name: "token", Value: "next"}))
	if status, err := u.UpdateSecret(ctx, types.Secret{Name: "none", Value: "x"}); status != http.StatusNotFound {
		t.Errorf("update of what is not there: status %d, %v", status, err)
	}
	list, err := u.GetSecrets(ctx, "openfaas-fn")
	want := []types.Secret{{Name: "key", Namespace: "openfaas-fn"}, {Name: "token", Namespace: "openfaas-fn"}}
	if diff := cmp.Diff(want, list); err != nil || diff != "" {
		t.Errorf("%v, secrets (-want +got):\n%s", err, diff)
	}
	for _, name := range []string{"key", "token"} {
		if err := u.DeleteSecret(ctx, name, "openfaas-fn"); err != nil {
			t.Error(err)
		}
	}
	if err := u.DeleteSecret(ctx, "token", "openfaas-fn"); err == nil || !strings.Contains(err.Error(), "token not found") {
		t.Errorf("removal of what is not there: %v", err)
	}
	if list, err := u.GetSecrets(ctx, "openfaas-fn"); err != nil || len(list) != 0 {
		t.Errorf("secrets afterwards %v, %v", list, err)
	}
}

func (u sdkUser) namespaces(t *testing.T) {
	ctx := t.Context()
	did(t, "create")(u.CreateNamespace(ctx, types.FunctionNamespace{Name: "edge", Labels: map[string]string{"team": "a"}}))
	did(t, "update")(u.UpdateNamespace(ctx, types.FunctionNamespace{Name: "edge", Labels: map[string]string{"team": "b"}}))
	got, err := u.GetNamespace(ctx, "edge")
	want := types.FunctionNamespace{Name: "edge", Labels: map[string]string{"team": "b", "openfaas": "1"}, Annotations: map[string]string{"openfaas": "1"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, namespace (-want +got):\n%s", err, diff)
	}
	if all, err := u.GetNamespaces(ctx); err != nil || !slices.Equal(all, []string{"edge", "openfaas-fn"}) {
		t.Errorf("namespaces %v, %v", all, err)
	}
	for _, in := range []string{"edge", "openfaas-fn"} {
		did(t, "deploy")(u.Deploy(ctx, types.FunctionDeployment{Service: "same", Namespace: in, Image: u.echo}))
		u.echoes(t, "same", in)
	}
	if err := u.DeleteFunction(ctx, "same", "edge"); err != nil {
		t.Error(err)
	}
	if list, err := u.GetFunctions(ctx, "edge"); err != nil || len(list) != 0 {
		t.Errorf("functions of an empty namespace: %v, %v", list, err)
	}
	u.echoes(t, "same", "openfaas-fn")
	if err := u.DeleteFunction(ctx, "same", "openfaas-fn"); err != nil {
		t.Error(err)
	}
	if err := u.DeleteNamespace(ctx, "edge"); err != nil {
		t.Error(err)
	}
	if _, err := u.GetNamespace(ctx, "edge"); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("a removed namespace: %v", err)
	}
}

func (u sdkUser) logs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), nodetest.Patience)
	defer cancel()
	did(t, "deploy")(u.Deploy(ctx, u.talks()))
	u.says(t, "first")
	followed, err := u.GetLogs(ctx, "talk", "openfaas-fn", true, -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second"} {
		if text == "second" {
			u.says(t, text)
		}
		for m := range followed {
			if m.Text == text && m.Name == "talk" && m.Instance != "" && !m.Timestamp.IsZero() {
				break
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("%q did not come within %v", text, nodetest.Patience)
		}
	}
	last, err := u.GetLogs(ctx, "talk", "", false, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range last {
		n++
	}
	if n != 1 {
		t.Errorf("the last line is %d lines", n)
	}
	if _, err := u.GetLogs(ctx, "none", "openfaas-fn", true, -1, nil); err == nil || !strings.Contains(err.Error(), "none not found") {
		t.Errorf("log of what is not there: %v", err)
	}
	if err := u.DeleteFunction(ctx, "talk", "openfaas-fn"); err != nil {
		t.Error(err)
	}
}

// talks keeps what the function says out of its answer, where the classic
// watchdog would put it.
func (u sdkUser) talks() types.FunctionDeployment {
	return types.FunctionDeployment{Service: "talk", Image: u.talk, EnvVars: map[string]string{"combine_output": "false"}}
}

func (u sdkUser) says(t *testing.T, text string) {
	t.Helper()
	resp := post(t, url(u.node, "talk"), []byte(text))
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("status %d, %q, %v", resp.StatusCode, body, err)
	}
}

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// caller is a function that calls another one through the node, and passes on
// the header by which the node knows that the call is within its own.
const caller = `#!/bin/sh
exec curl -sS -H "X-P2pfaas-Parent: $Http_X_P2pfaas_Parent" -d inner http://%s/function/%s
`

// script writes a program below the node's own folder for programs.
func script(t *testing.T, p *nodetest.Process, name, text string) string {
	t.Helper()
	dir := filepath.Join(p.Data, "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFullNodeAnswersItsOwnInnerCalls(t *testing.T) {
	nodetest.Need(t, nodetest.Curl)
	p := node(t, "tcp", nil, "--servers", "1", "--queue", "0")
	deploy(t, p, "echo", "builtin:echo", []*nodetest.Process{p}, "--weight", "1")
	tool(t, p, "deploy", "outer", "--image", "exec:"+script(t, p, "outer", fmt.Sprintf(caller, p.HTTP, "echo")), "--weight", "1")
	resp := post(t, url(p, "outer"), nil)
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || string(body) != "inner" {
		t.Errorf("status %d: %q; want what the inner call answered", resp.StatusCode, body)
	}
}

func TestCircleOfCallsEnds(t *testing.T) {
	nodetest.Need(t, nodetest.Curl)
	p := node(t, "tcp", nil, "--servers", "1", "--queue", "0")
	tool(t, p, "deploy", "circle", "--image", "exec:"+script(t, p, "circle", fmt.Sprintf(caller, p.HTTP, "circle")), "--weight", "1")
	resp := post(t, url(p, "circle"), nil)
	if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), "circle") {
		t.Errorf("status %d: %q; want the innermost call's error, which says what is wrong", resp.StatusCode, body)
	}
}

// A function that is nothing but a proxy back to the node.
func TestLoopThroughAProxyIsSeen(t *testing.T) {
	p := node(t, "tcp", nil)
	proxy := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, _ := http.NewRequestWithContext(r.Context(), r.Method, url(p, "looped"), r.Body)
		out.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})}
	tool(t, p, "deploy", "looped", "--image", "http://"+serve(t, proxy))
	if resp := post(t, url(p, "looped"), nil); resp.StatusCode != http.StatusLoopDetected {
		t.Errorf("status %d, want 508", resp.StatusCode)
	}
}

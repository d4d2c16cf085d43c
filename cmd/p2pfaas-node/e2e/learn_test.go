package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// TestWhatIsLearnedStays: over a restart, and on its way to another node; what
// cannot be read is set aside.
func TestWhatIsLearnedStays(t *testing.T) {
	start := func(data string) *nodetest.Process {
		return nodetest.Start(t, nodetest.Spec{Program: program, Data: data, Flags: []string{"--http", "127.0.0.1:0",
			"--listen", transports["tcp"], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e", "--policy", "calibrated"}})
	}
	a := start("")
	deploy(t, a, "echo", "builtin:echo", []*nodetest.Process{a})
	for range 60 {
		post(t, url(a, "echo"), []byte("x"), "X-P2pfaas-Deadline", "5s").Body.Close()
	}
	says(t, tool(t, a, "policy", "get"), "calibrated", "learning")
	file := filepath.Join(t.TempDir(), "model")
	tool(t, a, "policy", "export", file)
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	again := start(a.Data)
	if !strings.Contains(again.Log(), "the policy goes on with what it had learned") {
		t.Error("a restart forgets")
	}
	if err := again.Stop(); err != nil {
		t.Fatal(err)
	}

	kept := filepath.Join(a.Data, "models", "calibrated")
	if err := os.WriteFile(kept, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	spoilt := start(a.Data)
	if !strings.Contains(spoilt.Log(), "cannot be used, it starts anew") {
		t.Error("it does not say that its model cannot be used")
	}
	if _, err := os.Stat(kept + ".bad"); err != nil {
		t.Error("the model is not set aside:", err)
	}
	tool(t, spoilt, "policy", "import", file)
	if status, text := asAdmin(t, spoilt, "PUT", "/system/policy/model", "rubbish"); status != 400 {
		t.Errorf("rubbish was imported: %d %s", status, text)
	}
}

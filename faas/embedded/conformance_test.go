package embedded_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
)

func TestConformance(t *testing.T) {
	faastest.Run(t, func(t *testing.T) faas.Runtime { return start(t, testConfig(t.TempDir())) },
		faastest.Images{
			Echo: "builtin:echo", Sleep: "builtin:sleep", Stream: "builtin:stream",
			Trailers: true, WebSocket: true,
		})
}

func TestKeeps(t *testing.T) {
	scripts := t.TempDir()
	say := filepath.Join(scripts, "say")
	if err := os.WriteFile(say, []byte("#!/bin/sh\necho \"${Http_Query#say=}\" >&2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	faastest.Keep(t, func(t *testing.T) faas.Runtime {
		cfg := testConfig(t.TempDir())
		cfg.ExecPath = append(cfg.ExecPath, scripts)
		return start(t, cfg)
	}, faastest.Images{Echo: "builtin:echo", Say: "exec:" + say})
}

package embedded_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"

	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
)

// goStream sends ?n= events, ?every= apart.
const goStream = `package main

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"time"
)

func main() {
	query, _ := url.ParseQuery(os.Getenv("Http_Query"))
	n, _ := strconv.Atoi(query.Get("n"))
	every, _ := time.ParseDuration(query.Get("every"))
	for i := range n {
		if i > 0 {
			time.Sleep(every)
		}
		fmt.Printf("data: %d\n\n", i)
	}
}
`

// TestStandardConformance is of functions that are read and written by standard
// input and output.
func TestStandardConformance(t *testing.T) {
	programs := t.TempDir()
	write(t, filepath.Join(programs, "echo.wasm"), wasitest.Echo())
	if err := os.Rename(wasitest.Build(t, goStream), filepath.Join(programs, "stream.wasm")); err != nil {
		t.Fatal(err)
	}
	stream := "#!/bin/sh\neval $(echo \"$Http_Query\" | tr '&' ' ')\nfor i in $(seq $n); do echo \"data: $i\"; echo; sleep 0.2; done\n"
	if err := os.WriteFile(filepath.Join(programs, "stream"), []byte(stream), 0o755); err != nil {
		t.Fatal(err)
	}
	newRuntime := func(t *testing.T) faas.Runtime {
		cfg := testConfig(t.TempDir())
		cfg.ExecPath = append(cfg.ExecPath, programs)
		return start(t, cfg)
	}
	t.Run("module", func(t *testing.T) {
		faastest.Run(t, newRuntime, faastest.Images{Echo: "wasm:echo.wasm", Stream: "wasm:stream.wasm", Standard: true})
	})
	t.Run("fork", func(t *testing.T) {
		faastest.Run(t, newRuntime, faastest.Images{Echo: "exec:cat", Stream: "exec:stream", Standard: true})
	})
}

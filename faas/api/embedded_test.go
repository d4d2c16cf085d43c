package api_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded"
	"github.com/p2pfaas/p2pfaas/faas/embedded/builtin"
)

// TestMain makes this binary also a node for builtin functions.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "builtin" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		if err := builtin.Run(ctx, os.Args[2], os.Getenv("PORT"), os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// sayScript is a function that writes what it is sent to its log.
const sayScript = "say"

// inside is a Runtime that runs functions in processes of their own.
func inside(t *testing.T) faas.Runtime {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, sayScript), []byte("#!/bin/sh\ncat >&2\necho >&2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cfg := embedded.Default(dir)
	cfg.Grace = 5 * time.Second
	rt, err := embedded.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return rt
}

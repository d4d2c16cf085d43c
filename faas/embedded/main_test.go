package embedded_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded"
	"github.com/p2pfaas/p2pfaas/faas/embedded/builtin"
)

// TestMain makes this binary also a node for builtin functions, a function that
// is as well as files say, and one that
// runs a Runtime until it is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 {
		switch os.Args[1] {
		case "builtin":
			exit(serveBuiltin(os.Args[2]))
		case "moody":
			exit(serveMoody(os.Args[2]))
		case "runtime":
			exit(runUntilKilled(os.Args[2]))
		}
	}
	goleak.VerifyTestMain(m)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveBuiltin(name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return builtin.Run(ctx, name, os.Getenv("PORT"), os.Stderr)
}

func runUntilKilled(dir string) error {
	rt, err := embedded.New(testConfig(dir))
	if err != nil {
		return err
	}
	if err := rt.Start(context.Background()); err != nil {
		return err
	}
	fmt.Println("ready")
	time.Sleep(10 * time.Minute)
	return rt.Close()
}

func testConfig(dir string) embedded.Config {
	cfg := embedded.Default(dir)
	cfg.ExecPath = append(cfg.ExecPath, dir)
	cfg.Grace = 5 * time.Second
	cfg.MinBackoff = 20 * time.Millisecond
	cfg.MaxBackoff = 5 * time.Second
	return cfg
}

// start returns a Runtime that runs on dir until the test ends.
func start(t testing.TB, cfg embedded.Config) *embedded.Runtime {
	t.Helper()
	rt, err := embedded.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

func named(s string) faas.Name { return faas.Name{Function: s, Namespace: faas.DefaultNamespace} }

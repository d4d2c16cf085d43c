// Demo starts a mesh of three nodes on this machine, shows that a function is
// reached through any of them, and that a busy node is helped by the others.
//
// It runs the program itself, as anyone would: real processes, real sockets,
// on loopback only. "make demo" builds the program first.
//
//	demo [-node bin/p2pfaas-node] [-keep]
//
// It fails unless the mesh answers clearly more in time than one node alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	logging "github.com/ipfs/go-log/v2"
)

func main() {
	binary := flag.String("node", "bin/p2pfaas-node", "the program to run")
	keep := flag.Bool("keep", false, "leave the mesh running until interrupted")
	flag.Parse()
	logging.SetAllLoggers(logging.LevelError) // the SDK's and libp2p's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *binary, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run is the demonstration.
func run(ctx context.Context, out io.Writer, binary string, keep bool) (err error) {
	m, err := newMesh(binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()

	fmt.Fprintln(out, "Three nodes, each with two servers; they find each other.")
	if err := m.start(ctx, out); err != nil {
		return fmt.Errorf("start the mesh: %w", err)
	}
	if err := reach(ctx, out, m); err != nil {
		return fmt.Errorf("reach a function through another node: %w", err)
	}
	if err := spread(ctx, out, m); err != nil {
		return fmt.Errorf("spread a load over the mesh: %w", err)
	}
	if keep {
		return stay(ctx, out, m)
	}
	return nil
}

func stay(ctx context.Context, out io.Writer, m *mesh) error {
	fmt.Fprintf(out, "\nThe mesh stays up; interrupt to end it. Try:\n")
	for _, n := range m.nodes {
		fmt.Fprintf(out, "  curl -i -d 'hello' http://%s/function/only-b\n", n.http)
	}
	fmt.Fprintf(out, "  %s peers --node http://%s --data %s\n", m.binary, m.nodes[0].http, m.nodes[0].data)
	<-ctx.Done()
	return nil
}

// patience bounds each step that waits for something to become true.
const patience = 30 * time.Second

// Command p2pfaas-node is one member of a mesh, and the tools that talk to it.
//
//	p2pfaas-node run                                   on each machine, nothing else
//	p2pfaas-node deploy hello --image builtin:hello    on one of them
//	p2pfaas-node invoke hello                          on any
//
// Settings of run come, the first that says something wins, from flags, the
// environment (P2PFAAS_HTTP for --http), the TOML file of --config, and
// [node.Default]. The tools talk to the HTTP port of a running node.
//
// It exits with 0 when all went well, 2 when it was called or configured
// wrongly, 1 when anything else failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; a second one, no longer caught,
	// ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it does what args say and returns the exit code. ctx's
// end is the signal to stop.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	addCompletion(root)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "Error: %s\n", strings.TrimSpace(line))
	}
	if !errors.As(err, new(usageError)) {
		return exitFailure
	}
	fmt.Fprintf(stderr, "See '%s --help'.\n", cmd.CommandPath())
	return exitUsage
}

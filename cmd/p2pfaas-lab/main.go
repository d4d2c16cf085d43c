// Command p2pfaas-lab compares scheduling policies, in virtual time and on real
// nodes, by the same scenario files (package sched/sim/scenario).
//
//	p2pfaas-lab sim p12.toml --policy spread,local --seed 1-5     virtual time
//	p2pfaas-lab live p12.toml --policy spread                     real nodes
//	p2pfaas-lab compare p12.toml h6.toml --against perfect        means and intervals
//	p2pfaas-lab plot load p12.toml --sweep utilisation=0.5,0.7,0.9
//
// A policy is written with its parameters as "power-of-n:f=2,t=1". With --json
// sim and live print one object a run, which plot reads again.
//
// It exits with 0 when all went well, 2 when it was called wrongly, 1 when
// anything else failed or it was interrupted; what was done by then is printed.
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
	// A second signal, no longer caught, ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it does what args say and returns the exit code. ctx's
// end is the signal to stop.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
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

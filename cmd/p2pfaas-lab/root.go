package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
)

// version is set by the linker (-X main.version=…), see Makefile.
var version string

const about = `p2pfaas-lab compares policies that decide where an invocation runs. A scenario
file says what nodes there are, what arrives and what goes wrong; "sim" runs it
in virtual time, "live" on p2pfaas-node processes, "compare" runs several policies
with several seeds and tells what is significant, "plot" draws.`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "p2pfaas-lab",
		Short:         "Experiments with scheduling policies",
		Long:          about,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       cmp.Or(version, "devel"),

		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newSim(), newCompare(), newTrain(), newPlot(), newLive(), newScale())
	return root
}

// policies are all that can be had by name, on nodes as in the simulator.
func policies() sched.Registry {
	all := sched.Policies()
	maps.Copy(all, rl.Policies())
	return all
}

// usageError marks errors of how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		hint = fmt.Sprintf("; did you mean %s?", strings.Join(like, " or "))
	}
	return usagef("there is no command %q%s", args[0], hint)
}

// files is a check that there is at least one argument.
func files(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("%s: FILE is missing", cmd.Name())
	}
	return nil
}

// errInterrupted: a signal came before all was done.
var errInterrupted = errors.New("interrupted; what was done is above")

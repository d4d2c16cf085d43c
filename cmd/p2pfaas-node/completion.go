package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// addCompletion adds cobra's command of that name, but has it refuse shells that
// it does not know, where cobra's prints help and succeeds. root's output must be
// set, since the command keeps it.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Args = knownShell
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

func knownShell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var shells []string
	for _, shell := range cmd.Commands() {
		shells = append(shells, shell.Name())
	}
	return usagef("completion: no script for %q; want one of %s", args[0], strings.Join(shells, ", "))
}

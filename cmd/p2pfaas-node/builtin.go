package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas/embedded/builtin"
)

// newBuiltin is how the node runs its built-in functions: as a child process of
// the same program.
func newBuiltin() *cobra.Command {
	return &cobra.Command{
		Use:    "builtin NAME",
		Short:  "Serve a built-in function at $PORT",
		Hidden: true,
		Args:   wants("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return builtin.Run(cmd.Context(), args[0], os.Getenv("PORT"), cmd.OutOrStdout())
		},
	}
}

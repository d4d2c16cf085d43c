package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const about = `p2pfaas-node joins this machine to a mesh of machines that run functions for
each other. Start it with "p2pfaas-node run" on each; they find each other. A
function deployed on one is answered through any.

The other commands talk to the node at http://127.0.0.1:18080. Another one is
named by --node or the variable P2PFAAS_NODE, its data folder, where its
credentials are, by --data or P2PFAAS_DATA.`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "p2pfaas-node",
		Short:         "A peer-to-peer mesh for functions at the edge",
		Long:          about,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       programVersion().String(),
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version of this program")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newRun(), newDeploy(), newInvoke(), newFunctions(), newRemove(), newScale(), newLogs(), newSecret(), newNamespace(),
		newPeers(), newCalls(), newWhy(), newPolicy(), newStatus(), newID(), newVersion(), newBuiltin(),
	)
	return root
}

// usageError marks errors of how the program was called or configured.
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

// wants returns a check that as many arguments came as are named, and says
// which one is missing.
func wants(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usagef("%s: %s is missing", cmd.Name(), strings.Join(names[len(args):], ", "))
		}
		if len(args) > len(names) {
			return usagef("%s: %q is one argument too many", cmd.Name(), args[len(names)])
		}
		return nil
	}
}

package main

import (
	"fmt"
	"net/http"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"
)

func newRemove() *cobra.Command {
	var (
		t         target
		namespace string
	)
	cmd := &cobra.Command{
		Use:               "remove NAME[.NAMESPACE]",
		Aliases:           []string{"rm"},
		Short:             "Remove a function from a node",
		Args:              wants("NAME"),
		ValidArgsFunction: t.completeFunctions,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := nameIn(args[0], namespace)
			if err != nil {
				return usageError{fmt.Errorf("remove: %w", err)}
			}
			c, err := t.remote()
			if err != nil {
				return err
			}
			in := types.DeleteFunctionRequest{FunctionName: n.Function, Namespace: n.Namespace}
			if err := c.call(cmd.Context(), http.MethodDelete, "/system/functions", "", in, nil); err != nil {
				return fmt.Errorf("remove %s: %w", n, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", n)
			return nil
		},
	}
	t.addNamespace(cmd, &namespace, "`namespace` of the function")
	t.addTo(cmd)
	return cmd
}

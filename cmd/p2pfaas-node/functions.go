package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

func newFunctions() *cobra.Command {
	var (
		t         target
		out       output
		namespace string
	)
	cmd := &cobra.Command{
		Use:     "functions",
		Aliases: []string{"ls"},
		Short:   "List the functions deployed on a node",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			found, err := listFunctions(cmd.Context(), c, namespace)
			if err != nil {
				return fmt.Errorf("list functions: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), found)
			}
			return printFunctions(cmd.OutOrStdout(), found)
		},
	}
	t.addNamespace(cmd, &namespace, "`namespace` to list (default "+faas.DefaultNamespace+")")
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

// deployed is a function as a node lists it.
type deployed struct {
	types.FunctionStatus
	Note string `json:"note,omitempty"` // what is not enforced, or that an old version still answers
}

func printFunctions(w io.Writer, found []deployed) error {
	if err := printTable(w, functionRows(found)); err != nil {
		return err
	}
	for _, f := range found {
		if f.Note != "" {
			fmt.Fprintf(w, "\n%s: %s\n", faas.Name{Function: f.Name, Namespace: f.Namespace}, f.Note)
		}
	}
	return nil
}

func listFunctions(ctx context.Context, c *remote, namespace string) ([]deployed, error) {
	query := url.Values{}
	if namespace != "" {
		query.Set("namespace", namespace)
	}
	found := []deployed{} // prints as [] rather than null
	err := c.call(ctx, http.MethodGet, "/system/functions", query.Encode(), nil, &found)
	return found, err
}

func functionRows(found []deployed) [][]string {
	rows := [][]string{{"NAME", "IMAGE", "REPLICAS", "READY", "INVOCATIONS"}}
	for _, f := range found {
		name := faas.Name{Function: f.Name, Namespace: f.Namespace}
		image := f.Image
		if image == "" {
			image = f.EnvProcess
		}
		rows = append(rows, []string{
			name.String(), image,
			strconv.FormatUint(f.Replicas, 10),
			strconv.FormatUint(f.AvailableReplicas, 10),
			strconv.FormatFloat(f.InvocationCount, 'f', 0, 64),
		})
	}
	return rows
}

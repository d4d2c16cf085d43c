package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/faas"
)

func newScale() *cobra.Command {
	var (
		t         target
		namespace string
	)
	cmd := &cobra.Command{
		Use:               "scale NAME[.NAMESPACE] REPLICAS",
		Short:             "Set how many replicas of a function a node runs",
		Long:              "Set how many replicas of a function a node runs. With 0 it is stopped until the next\ninvocation starts it again.",
		Args:              wants("NAME", "REPLICAS"),
		ValidArgsFunction: t.completeFunctions,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := nameIn(args[0], namespace)
			if err != nil {
				return usageError{fmt.Errorf("scale: %w", err)}
			}
			replicas, err := strconv.Atoi(args[1])
			if err != nil || replicas < 0 {
				return usagef("scale: %q is no number of replicas: want 0 or more", args[1])
			}
			c, err := t.remote()
			if err != nil {
				return err
			}
			if err := scale(cmd.Context(), c, n, replicas); err != nil {
				return fmt.Errorf("scale %s to %d: %w", n, replicas, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "scaled %s to %d\n", n, replicas)
			return nil
		},
	}
	t.addNamespace(cmd, &namespace, "`namespace` of the function")
	t.addTo(cmd)
	return cmd
}

func scale(ctx context.Context, c *remote, n faas.Name, replicas int) error {
	path := "/system/scale-function/" + url.PathEscape(n.Function)
	in := scaleRequest{ServiceName: n.Function, Namespace: n.Namespace, Replicas: replicas}
	return c.call(ctx, http.MethodPost, path, url.Values{"namespace": {n.Namespace}}.Encode(), in, nil)
}

type scaleRequest struct {
	ServiceName string `json:"serviceName"`
	Namespace   string `json:"namespace,omitempty"`
	Replicas    int    `json:"replicas"`
}

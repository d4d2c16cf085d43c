package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/openfaas/faas-provider/types"
	"github.com/spf13/cobra"
)

const aboutNamespace = `List and change the namespaces of a node. Functions and secrets of one namespace
do not see those of another; NAME.NAMESPACE names a function of another than the
default one.`

func newNamespace() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "namespace",
		Aliases: []string{"ns"},
		Short:   "List and change the namespaces of a node",
		Long:    aboutNamespace,
		Args:    knownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNamespaceList(), newNamespaceShow(),
		newNamespaceSet("create", "created", "Create a namespace on a node", http.MethodPost),
		newNamespaceSet("update", "updated", "Replace the labels and annotations of a namespace", http.MethodPut),
		newNamespaceRemove())
	return cmd
}

func listNamespaces(ctx context.Context, c *remote) ([]string, error) {
	found := []string{} // prints as [] rather than null
	err := c.call(ctx, http.MethodGet, "/system/namespaces", "", nil, &found)
	return found, err
}

func newNamespaceList() *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the namespaces of a node",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			found, err := listNamespaces(cmd.Context(), c)
			if err != nil {
				return fmt.Errorf("list namespaces: %w", err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), found)
			}
			for _, name := range found {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return nil
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

func newNamespaceShow() *cobra.Command {
	var (
		t   target
		out output
	)
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show the labels and annotations of a namespace",
		Args:              wants("NAME"),
		ValidArgsFunction: t.completeArg(listNamespaces),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.remote()
			if err != nil {
				return err
			}
			var n types.FunctionNamespace
			if err := c.call(cmd.Context(), http.MethodGet, namespacePath(args[0]), "", nil, &n); err != nil {
				return fmt.Errorf("show namespace %s: %w", args[0], err)
			}
			if out.json() {
				return printJSON(cmd.OutOrStdout(), n)
			}
			rows := [][]string{{"name", n.Name}}
			for _, pair := range (pairs{&n.Labels}).GetSlice() {
				rows = append(rows, []string{"label", pair})
			}
			for _, pair := range (pairs{&n.Annotations}).GetSlice() {
				rows = append(rows, []string{"annotation", pair})
			}
			return printTable(cmd.OutOrStdout(), rows)
		},
	}
	out.addTo(cmd)
	t.addTo(cmd)
	return cmd
}

func newNamespaceSet(verb, done, short, method string) *cobra.Command {
	var (
		t target
		n types.FunctionNamespace
	)
	cmd := &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  wants("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n.Name = args[0]
			return changeNamespace(cmd, &t, method, verb, done, n)
		},
	}
	fs := cmd.Flags()
	fs.VarP(pairs{&n.Labels}, "label", "l", "`KEY=VALUE`; repeatable")
	fs.Var(pairs{&n.Annotations}, "annotation", "`KEY=VALUE`; repeatable")
	if method == http.MethodPut {
		cmd.ValidArgsFunction = t.completeArg(listNamespaces)
	}
	t.addTo(cmd)
	return cmd
}

func newNamespaceRemove() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:               "remove NAME",
		Aliases:           []string{"rm"},
		Short:             "Remove an empty namespace from a node",
		Args:              wants("NAME"),
		ValidArgsFunction: t.completeArg(listNamespaces),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeNamespace(cmd, &t, http.MethodDelete, "remove", "removed", types.FunctionNamespace{Name: args[0]})
		},
	}
	t.addTo(cmd)
	return cmd
}

func changeNamespace(cmd *cobra.Command, t *target, method, verb, done string, n types.FunctionNamespace) error {
	c, err := t.remote()
	if err != nil {
		return err
	}
	if err := c.call(cmd.Context(), method, namespacePath(n.Name), "", n, nil); err != nil {
		return fmt.Errorf("%s namespace %s: %w", verb, n.Name, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s namespace %s\n", done, n.Name)
	return nil
}

func namespacePath(name string) string { return "/system/namespace/" + url.PathEscape(name) }

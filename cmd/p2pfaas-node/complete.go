package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// completeLimit is how long a shell waits for the node.
const completeLimit = time.Second

// lister asks a node for names to offer.
type lister func(ctx context.Context, c *remote) ([]string, error)

// names are those that list finds, for shells; none where the node is silent.
func (t *target) names(list lister) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completeLimit)
	defer cancel()
	c, err := t.remote()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found, err := list(ctx, c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeArg offers names for a command's first argument.
func (t *target) completeArg(list lister) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return t.names(list)
	}
}

// completeFlag offers names for a flag's value.
func (t *target) completeFlag(cmd *cobra.Command, flag string, list lister) {
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return t.names(list)
	})
}

// addNamespace adds the flag of that name.
func (t *target) addNamespace(cmd *cobra.Command, namespace *string, usage string) {
	cmd.Flags().StringVar(namespace, "namespace", "", usage)
	t.completeFlag(cmd, "namespace", listNamespaces)
}

// completeFunctions offers the names of the functions on the node.
func (t *target) completeFunctions(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	return t.completeArg(listFunctionNames)(cmd, args, toComplete)
}

func listFunctionNames(ctx context.Context, c *remote) (names []string, err error) {
	found, err := listFunctions(ctx, c, "")
	for _, f := range found {
		names = append(names, f.Name)
	}
	return names, err
}
